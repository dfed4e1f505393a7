// Building the data path, and taking it down in the opposite order.
#include "ctrl/host/datapath.h"

#include <algorithm>
#include <new>

#include <fmt/core.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_mempool.h>

#include "crypto/cookie.h"
#include "ctrl/base/log.h"
#include "ctrl/host/eal.h"
#include "ctrl/host/offloads.h"
#include "ctrl/host/stop_request.h"
#include "ctrl/neighbour/neighbours.h"

namespace wirelay::ctrl {

namespace {

/// On an lcore, which allocates and frees nothing: the allocator may make system calls.
int run_worker(void* argument) {
  const auto* start = static_cast<const WorkerStart*>(argument);
  start->worker->run(*start->stop);
  return 0;
}

bool listens(const Config& config, const dataplane::IpAddr& addr) {
  const auto& only = config.listen_addresses;
  return only.empty() || std::ranges::find(only, addr) != only.end();
}

dataplane::Port make_port(const Config& config, const PortConfig& wanted, uint16_t id) {
  dataplane::Port port;
  port.id = id;
  port.mtu = mtu_of(wanted);
  port.takes_tunnels = wanted.tunnel;
  port.takes_plain = wanted.plain;
  port.name = wanted.name;
  port.addresses = wanted.addresses;
  for (dataplane::PortAddress& address : port.addresses) {
    address.listens = listens(config, address.addr);
  }
  return port;
}

dataplane::PortSettings settings_of(const PortConfig& wanted, const dataplane::Port& port,
                                    unsigned workers) {
  return {.workers = workers,
          .mtu = port.mtu,
          .rx_descriptors = wanted.rx_descriptors,
          .tx_descriptors = wanted.tx_descriptors,
          .hardware = parse_device(wanted.device).bus != Device::Bus::kVirtual};
}

/// What a device refuses is told under the place of its port.
template <typename Act>
auto named(size_t port, Act act) {
  try {
    return act();
  } catch (const std::runtime_error& e) {
    throw Refused(fmt::format("ports[{}]", port), e.what());
  }
}

/// Buffers that a worker has in its burst, its lanes and its cache.
constexpr uint64_t kLeastOfWorker = 1024;

bool has_v6(const PortConfig& port) {
  return std::ranges::any_of(port.addresses, [](const auto& a) { return !a.addr.is_v4(); });
}

}  // namespace

dataplane::Sizes table_sizes(const Config& config) {
  dataplane::Sizes sizes = config.sizes;
  size_t own = config.tunnel_addresses.size() + config.routes.size() + sizes.neighbours;
  if (config.nat44) own += config.nat44->public_prefixes().size();
  for (const PortConfig& port : config.ports) {
    own += 2 * (port.addresses.size() + 1) + port.gateways.size() + 2;
  }
  sizes.prefixes += static_cast<uint32_t>(own);
  return sizes;
}

Datapath::Datapath(const Config& config, const std::vector<uint16_t>& ports,
                   const std::string& engine, const crypto::PublicKey& public_key) {
  const auto workers = static_cast<unsigned>(config.worker_cores.size());
  try {
    shared_ = std::make_unique<dataplane::Shared>(table_sizes(config), workers, rte_get_tsc_hz());
  } catch (const std::bad_alloc&) {
    throw Refused("sizes",
                  "there is no address space for tables of these sizes; name smaller ones, "
                  "or raise the limit (\"ulimit -v\", vm.overcommit_memory)");
  }
  shared_->mac1_key = crypto::mac1_key(public_key);
  shared_->listen_ports = config.udp_ports;
  shared_->tunnel_addresses = config.tunnel_addresses;
  shared_->set_isolation(config.isolation, config.open_groups);
  try {
    shared_->pool =
        dataplane::create_pool("packets", config.sizes.mbufs, largest_mtu(config), workers + 1);
  } catch (const std::runtime_error& e) {
    throw Refused("sizes.mbufs", e.what());
  }
  try {
    open_ports(config, ports);
    if (config.nat44) start_nat(*config.nat44);
    const auto queues = dataplane::assign_queues(shared_->ports, workers);
    for (unsigned i = 0; i < workers; ++i) {
      workers_.push_back(std::make_unique<dataplane::Worker>(
          i, *shared_, crypto::make_engine(engine), queues[i], config.polling));
    }
  } catch (...) {
    close_ports();
    throw;
  }
}

void Datapath::open_ports(const Config& config, const std::vector<uint16_t>& ports) {
  const auto workers = static_cast<unsigned>(config.worker_cores.size());
  for (size_t i = 0; i < config.ports.size(); ++i) {
    const PortConfig& wanted = config.ports[i];
    const Device device = parse_device(wanted.device);
    dataplane::Port& port = shared_->ports[ports[i]];
    port = make_port(config, wanted, ports[i]);
    const auto plan =
        named(i, [&] { return plan_port(device_info(port), settings_of(wanted, port, workers)); });
    open_.push_back({port.id, wanted.device, interface_of(device), plan});
  }
  check_buffers(config);
  for (size_t i = 0; i < open_.size(); ++i) {
    stop_if_requested();
    dataplane::Port& port = shared_->ports[open_[i].id];
    for (const std::string& warning : named(i, [&] { return open_port(port, open_[i]); })) {
      log_warning("port {}: {}", port.name, warning);
    }
    if (has_v6(config.ports[i])) {
      port.addresses.push_back(link_local_address(port.mac));
      port.addresses.back().listens = config.listen_addresses.empty();
    }
    log_info("port {}: {}, {}, MTU {}, {} receive and {} transmit queues", port.name,
             open_[i].device, mac_text(port.mac), port.mtu, port.rx_queues, port.tx_queues);
  }
}

void Datapath::start_nat(const Nat44Config& config) {
  dataplane::NatSettings settings = config.settings;
  settings.reserved = shared_->listen_ports;
  try {
    shared_->nat = std::make_unique<dataplane::NatTable>(settings, shared_->users.capacity());
  } catch (const std::bad_alloc&) {
    throw Refused("nat44", "there is no address space for the tables of so many addresses");
  }
  for (dataplane::Port& port : shared_->ports) {
    if (port.mtu == 0 || port.name != config.port) continue;
    port.translates = true;
    port.pools = config.public_prefixes();
  }
}

/// Those of full receive queues, and some for what is on its way.
void Datapath::check_buffers(const Config& config) const {
  uint64_t needed = kLeastOfWorker * config.worker_cores.size();
  for (const OpenPort& open : open_) needed += open.plan.held_buffers;
  if (needed <= config.sizes.mbufs) return;
  throw Refused("sizes.mbufs",
                fmt::format("found {}, but the receive queues of all ports and workers need {}; "
                            "name more, or fewer ports[].rx_descriptors",
                            config.sizes.mbufs, needed));
}

std::vector<std::string> Datapath::open_port(dataplane::Port& port, OpenPort& open) {
  using dataplane::Interface;
  if (!open.interface) {
    auto warnings = dataplane::open_port(port, open.plan, Interface::kOurs, shared_->pool);
    open.started = true;
    return warnings;
  }
  const BorrowedInterface& borrowed = borrowed_.emplace_back(*open.interface);
  auto warnings = dataplane::open_port(port, open.plan, Interface::kBorrowed, shared_->pool);
  open.started = true;
  borrowed.restore();
  if (!borrowed.hears_multicast()) {
    warnings.push_back("cannot ask for all multicast, neighbour discovery needs it");
  }
  if (auto harmful = harmful_offloads(*open.interface)) warnings.push_back(std::move(*harmful));
  return warnings;
}

Datapath::~Datapath() {
  stop();
  workers_.clear();
  close_ports();
}

void Datapath::close_ports() noexcept {
  for (const OpenPort& port : open_) {
    if (port.started) dataplane::close_port(shared_->ports[port.id]);
  }
  open_.clear();
  borrowed_.clear();  // once no driver has a word
  rte_mempool* const pool = shared_->pool;
  shared_.reset();
  rte_mempool_free(pool);
}

void Datapath::launch() {
  running_ = true;
  for (const auto& worker : workers_) starts_.push_back({worker.get(), &stop_});
  for (WorkerStart& start : starts_) {
    const unsigned id = start.worker->id;
    if (rte_eal_remote_launch(&run_worker, &start, lcore_of_worker(id)) != 0) {
      throw std::runtime_error(fmt::format("worker {}: its lcore is busy", id));
    }
  }
}

void Datapath::stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (running_) rte_eal_mp_wait_lcore();
  running_ = false;
}

std::vector<LinkWatch::Watched> Datapath::watched() const {
  std::vector<LinkWatch::Watched> ports;
  for (const OpenPort& open : open_) ports.push_back({open.id, open.interface});
  return ports;
}

std::vector<const dataplane::WorkerCounters*> Datapath::counters() const {
  std::vector<const dataplane::WorkerCounters*> counters;
  for (const auto& worker : workers_) counters.push_back(&worker->counters);
  return counters;
}

uint32_t Datapath::nat_records() const noexcept {
  uint32_t used = 0;
  for (const auto& worker : workers_) {
    if (worker->nat_flows != nullptr) used += worker->nat_flows->used();
  }
  return used;
}

uint16_t Datapath::tunnel_mtu() const noexcept {
  uint16_t smallest = UINT16_MAX;
  for (const OpenPort& open : open_) {
    const dataplane::Port& port = shared_->ports[open.id];
    if (port.takes_tunnels) smallest = std::min(smallest, port.mtu);
  }
  return smallest;
}

}  // namespace wirelay::ctrl
