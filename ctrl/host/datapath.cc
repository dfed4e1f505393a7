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
#include "ctrl/host/stop_request.h"
#include "ctrl/neighbour/neighbours.h"

namespace wirelay::ctrl {

namespace {

std::string text_of(const rte_ether_addr& mac) {
  const uint8_t* b = mac.addr_bytes;
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4],
                     b[5]);
}

/// What an lcore runs.
struct WorkerMain {
  dataplane::Worker* worker;
  const std::atomic<bool>* stop;
};

int run_worker(void* argument) {
  const std::unique_ptr<WorkerMain> main(static_cast<WorkerMain*>(argument));
  main->worker->run(*main->stop);
  return 0;
}

bool listens(const Config& config, const dataplane::IpAddr& addr) {
  const auto& only = config.listen_addresses;
  return only.empty() || std::ranges::find(only, addr) != only.end();
}

bool has_v6(const PortConfig& port) {
  return std::ranges::any_of(port.addresses, [](const auto& a) { return !a.addr.is_v4(); });
}

}  // namespace

dataplane::Sizes table_sizes(const Config& config) {
  dataplane::Sizes sizes = config.sizes;
  size_t own = config.tunnel_addresses.size() + config.routes.size() + sizes.neighbours;
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
  shared_->listen_port = config.udp_port;
  shared_->tunnel_addresses = config.tunnel_addresses;
  try {
    shared_->pool =
        dataplane::create_pool("packets", config.sizes.mbufs, largest_mtu(config), workers + 1);
  } catch (const std::runtime_error& e) {
    throw Refused("sizes.mbufs", e.what());
  }
  try {
    open_ports(config, ports);
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
    stop_if_requested();
    const PortConfig& wanted = config.ports[i];
    dataplane::Port port;
    port.id = ports[i];
    port.mtu = mtu_of(wanted);
    port.name = wanted.name;
    port.addresses = wanted.addresses;
    for (dataplane::PortAddress& address : port.addresses) {
      address.listens = listens(config, address.addr);
    }
    try {
      for (const std::string& warning : open_port(port, wanted, workers)) {
        log_warning("port {}: {}", port.name, warning);
      }
    } catch (const std::runtime_error& e) {
      throw Refused(fmt::format("ports[{}]", i), e.what());
    }
    open_.push_back({port.id, wanted.device});
    if (has_v6(wanted)) {
      port.addresses.push_back(link_local_address(port.mac));
      port.addresses.back().listens = config.listen_addresses.empty();
    }
    log_info("port {}: {}, {}, MTU {}, {} receive and {} transmit queues", port.name, wanted.device,
             text_of(port.mac), port.mtu, port.rx_queues, port.tx_queues);
    shared_->ports[port.id] = std::move(port);
  }
}

std::vector<std::string> Datapath::open_port(dataplane::Port& port, const PortConfig& wanted,
                                             unsigned workers) {
  const Device device = parse_device(wanted.device);
  const dataplane::PortPlan plan = dataplane::plan_port(
      device_info(port),
      {.workers = workers, .mtu = port.mtu, .hardware = device.bus != Device::Bus::kVirtual});
  const auto interface = interface_of(device);
  if (!interface)
    return dataplane::open_port(port, plan, dataplane::Interface::kOurs, shared_->pool);
  const BorrowedInterface& borrowed = borrowed_.emplace_back(*interface);
  auto warnings = dataplane::open_port(port, plan, dataplane::Interface::kBorrowed, shared_->pool);
  borrowed.restore();
  if (!borrowed.hears_multicast()) {
    warnings.push_back("cannot ask for all multicast, neighbour discovery needs it");
  }
  return warnings;
}

Datapath::~Datapath() {
  stop();
  workers_.clear();
  close_ports();
}

void Datapath::close_ports() noexcept {
  for (const OpenPort& port : open_) dataplane::close_port(shared_->ports[port.id]);
  open_.clear();
  borrowed_.clear();  // once no driver has a word
  rte_mempool* const pool = shared_->pool;
  shared_.reset();
  rte_mempool_free(pool);
}

void Datapath::launch() {
  running_ = true;
  for (const auto& worker : workers_) {
    auto main = std::make_unique<WorkerMain>(WorkerMain{worker.get(), &stop_});
    if (rte_eal_remote_launch(&run_worker, main.get(), lcore_of_worker(worker->id)) != 0) {
      throw std::runtime_error(fmt::format("worker {}: its lcore is busy", worker->id));
    }
    static_cast<void>(main.release());  // run_worker() owns it
  }
}

void Datapath::stop() {
  stop_.store(true, std::memory_order_relaxed);
  if (running_) rte_eal_mp_wait_lcore();
  running_ = false;
}

std::vector<const dataplane::WorkerCounters*> Datapath::counters() const {
  std::vector<const dataplane::WorkerCounters*> counters;
  for (const auto& worker : workers_) counters.push_back(&worker->counters);
  return counters;
}

uint16_t Datapath::tunnel_mtu() const noexcept {
  uint16_t smallest = UINT16_MAX;
  for (const OpenPort& open : open_) smallest = std::min(smallest, shared_->ports[open.id].mtu);
  return smallest;
}

PortStatus Datapath::port_status(size_t i) const {
  const OpenPort& open = open_[i];
  const dataplane::Port& port = shared_->ports[open.id];
  PortStatus status;
  status.name = port.name;
  status.device = open.device;
  status.mac = text_of(port.mac);
  status.mtu = port.mtu;
  rte_eth_link link{};
  status.link_up = rte_eth_link_get_nowait(open.id, &link) == 0 && link.link_status != 0;
  if (rte_eth_stats stats{}; rte_eth_stats_get(open.id, &stats) == 0) {
    status.rx_packets = stats.ipackets;
    status.rx_bytes = stats.ibytes;
    status.rx_missed = stats.imissed;
    status.rx_errors = stats.ierrors + stats.rx_nombuf;
    status.tx_packets = stats.opackets;
    status.tx_bytes = stats.obytes;
    status.tx_errors = stats.oerrors;
  }
  return status;
}

}  // namespace wirelay::ctrl
