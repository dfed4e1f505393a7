// The timed passes, see stage_rig.h.
#include "tools/bench/stage_rig.h"

#include <algorithm>
#include <bit>
#include <stdexcept>

#include <x86intrin.h>

#include <rte_ethdev.h>

#include "dataplane/worker.h"

namespace wirelay::bench {

namespace {

using namespace dataplane;

constexpr uint64_t kPollTicks = 1000;  // of the data path's clock: a microsecond a poll
constexpr uint64_t kAway = 4;          // times the median: the processor did something else
constexpr uint64_t kAmpleRate = 1'000'000'000'000, kAmpleBytes = uint64_t{1} << 60;

/// A block for each client, with so many ports in use.
NatSettings nat_for(uint32_t clients, uint32_t ports) {
  NatSettings settings;
  settings.block_ports = std::bit_ceil(std::max(ports, 64u));
  settings.each.flows = ports;
  settings.flows = clients * ports;
  const uint32_t each = kNatPorts / settings.block_ports;
  const auto bits = std::bit_width(std::bit_ceil((clients + each - 1) / each)) - 1;
  settings.pools = {{test::addr("100.64.0.0"), static_cast<uint8_t>(128 - bits)}};
  return settings;
}

test::DataPathOptions options_for(uint32_t clients, uint32_t mbufs, const std::string& engine,
                                  uint32_t nat_ports) {
  test::DataPathOptions options;
  if (nat_ports != 0) options.nat = nat_for(clients, nat_ports);
  options.port_ring = 256;
  options.mbufs = mbufs + 1024;
  options.engine = engine;
  options.sizes = {.users = clients + 1,
                   .peers = clients,
                   .sessions = 3 * clients,
                   .prefixes = 2 * clients + 64,
                   .neighbours = 16,
                   .punt_ring = 512,
                   .handoff_ring = 512,
                   .replay_packets = 8192};
  return options;
}

}  // namespace

/// Takes the time behind every driver's receive and before every driver's transmit.
class StageRig::Stopwatch {
 public:
  explicit Stopwatch(const std::vector<std::unique_ptr<test::RingPort>>& ports) {
    for (const auto& port : ports) {
      rte_eth_add_rx_callback(port->id(), 0, received, this);
      rte_eth_add_tx_callback(port->id(), 0, sending, this);
    }
  }
  /// Cycles from the first packets received to the last ones sent.
  [[nodiscard]] uint32_t passed() const noexcept {
    return static_cast<uint32_t>(sent_ - received_);
  }

 private:
  /// A driver has just filled in the buffers that it returns; rings leave that to us.
  static uint16_t received(uint16_t port, uint16_t, rte_mbuf** mbufs, uint16_t n, uint16_t,
                           void* self) {
    for (uint16_t i = 0; i < n; ++i) mbufs[i]->port = port;
    if (n != 0) static_cast<Stopwatch*>(self)->received_ = __rdtsc();
    return n;
  }
  static uint16_t sending(uint16_t, uint16_t, rte_mbuf**, uint16_t n, void* self) {
    static_cast<Stopwatch*>(self)->sent_ = __rdtsc();
    return n;
  }
  uint64_t received_ = 0, sent_ = 0;
};

StageRig::StageRig(uint32_t clients, uint32_t mbufs, const std::string& engine,
                   const Policing& policing)
    : path_(std::make_unique<test::DataPath>(
          options_for(clients, mbufs, engine, policing.nat_ports))),
      engine_(crypto::make_engine(engine)),
      packets_(mbufs),
      keys_(kBurstSize) {
  clients_.reserve(clients);
  for (uint32_t i = 0; i < clients; ++i) {
    // Sessions of our own making need no confirmation by the control thread.
    clients_.push_back(path_->add_client(false, 0, true));
    const DirectionLimits ample{.bits_per_second = kAmpleRate, .packets_per_second = kAmpleRate};
    if (policing.limits) path_->limit(clients_.back(), {ample, ample});
    if (policing.quotas) path_->give_quota(clients_.back(), {.bytes = kAmpleBytes});
  }
  if (policing.nat_ports != 0) open_ports(policing.nat_ports);
  watch_ = std::make_unique<Stopwatch>(path_->ports);
  traffic_ = std::make_unique<StageTraffic>(*path_, clients_, *engine_, policing.nat_ports);
  for (TestPacket& packet : packets_) packet.mbuf = rte_pktmbuf_alloc(path_->pool);
  for (crypto::Bytes32& key : keys_) crypto::random_bytes(key);
}

void StageRig::open_ports(uint32_t ports) {
  path_->workers[0]->poll(path_->now);  // it knows the time then
  NatFlows& flows = *path_->workers[0]->nat_flows;
  for (const test::Client& client : clients_) path_->nat->serve(client.user, 0);
  const uint64_t begin = __rdtsc();
  for (uint32_t port = 0; port < ports; ++port) {
    for (const test::Client& client : clients_) {
      const auto number = static_cast<uint16_t>(StageTraffic::kFirstPort + port);
      NatFlow* flow = nullptr;
      if (flows.make(nat_key(*path_->shared, client, number), flow) != Drop::kNone) {
        throw std::runtime_error("no room for a mapping");
      }
      flows.touch(*flow, 0, true);
    }
  }
  seconds_of_mapping_ = static_cast<double>(__rdtsc() - begin) / tsc_hz() /
                        (static_cast<double>(clients_.size()) * ports);
}

StageRig::~StageRig() {
  for (const TestPacket& packet : packets_) rte_pktmbuf_free(packet.mbuf);
}

uint64_t StageRig::bytes_for(uint32_t mbufs) noexcept { return uint64_t{mbufs + 1024} * 2560; }

Cost StageRig::run(const Cell& cell, uint32_t packets, bool check) {
  const std::span<TestPacket> used{packets_.data(), cell.mbufs};
  polls_.clear();
  opened_.clear();
  sealed_.clear();
  for (uint64_t sent = 0; sent < packets; sent += cell.mbufs) {
    traffic_->make(cell.direction, cell.mix.lengths, cell.sessions, used);
    pass(cell, used);
    if (check) traffic_->check(used);
    bare_pass(cell, used, sealed_, false);
    if (cell.direction != Direction::kDown) bare_pass(cell, used, opened_, true);
  }
  if (cell.direction == Direction::kUp) sealed_.clear();  // only sealed to be opened
  Cost cost = cost_of(polls_);
  cost.bare = bare_cost_of(opened_) + bare_cost_of(sealed_);
  return cost;
}

/// The mean of the samples in which the processor was with us all the time.
Cost StageRig::cost_of(const std::vector<Sample>& samples) {
  Cost cost{0, std::vector<double>(kStages), 0};
  if (samples.empty()) return cost;
  std::vector<uint32_t> cycles;
  for (const Sample& sample : samples) cycles.push_back(sample.cycles);
  const auto middle = cycles.begin() + static_cast<ptrdiff_t>(cycles.size() / 2);
  std::ranges::nth_element(cycles, middle);
  double packets = 0;
  for (const Sample& sample : samples) {
    if (sample.cycles > kAway * *middle) continue;
    packets += sample.packets;
    cost.whole += sample.cycles;
    for (size_t i = 0; i < kStages; ++i) cost.stages[i] += sample.stages[i];
  }
  cost.whole /= packets;
  for (double& stage : cost.stages) stage /= packets;
  return cost;
}

double StageRig::bare_cost_of(const std::vector<Sample>& samples) { return cost_of(samples).whole; }

/// Each poll finds one batch of packets; what comes out is taken away before the next, so that
/// neither ring nor memory is a limit.
void StageRig::pass(const Cell& cell, std::span<TestPacket> packets) {
  test::RingPort& in = *path_->ports[cell.direction == Direction::kDown ? 1 : 0];
  Worker& worker = *path_->workers[0];
  for (size_t first = 0; first < packets.size(); first += cell.batch) {
    const auto batch = packets.subspan(first, std::min<size_t>(cell.batch, packets.size() - first));
    for (const TestPacket& packet : batch) in.feed(packet.mbuf);
    path_->now += kPollTicks;
    worker.poll(path_->now);
    polls_.push_back({static_cast<uint32_t>(batch.size()), watch_->passed(), stages_since_last()});
    take_out(cell, batch);
  }
}

/// What was sent must have come out, all of it and in order.
void StageRig::take_out(const Cell& cell, std::span<const TestPacket> sent) {
  test::RingPort& out = *path_->ports[cell.direction == Direction::kUp ? 1 : 0];
  const auto came = out.take();
  if (!std::ranges::equal(came, sent, {}, {}, &TestPacket::mbuf)) {
    throw std::runtime_error("of " + std::to_string(sent.size()) + " packets " +
                             std::to_string(came.size()) +
                             " came out, or in another order: " + path_->drop_text());
  }
}

/// Opens what it has sealed before: text that is not authentic would not be decrypted.
void StageRig::bare_pass(const Cell& cell, std::span<TestPacket> packets,
                         std::vector<Sample>& samples, bool open) {
  for (size_t first = 0; first < packets.size(); first += cell.batch) {
    crypto::AeadPacket batch[kBurstSize];
    const size_t count = std::min<size_t>(cell.batch, packets.size() - first);
    for (size_t i = 0; i < count; ++i) {
      const TestPacket& packet = packets[first + i];
      const size_t key = cell.sessions == 1 ? 0 : i;
      batch[i] = {keys_[key].data(), first + i, packet.text, packet.text_bytes, false};
    }
    const uint64_t begin = __rdtsc();
    if (open) {
      engine_->open_burst({batch, count});
    } else {
      engine_->seal_burst({batch, count});
    }
    const uint64_t passed = __rdtsc() - begin;
    samples.push_back({static_cast<uint32_t>(count), static_cast<uint32_t>(passed), {}});
  }
}

StageRig::StageCycles StageRig::stages_since_last() noexcept {
  StageCycles passed;
  for (size_t i = 0; i < kStages; ++i) {
    const uint64_t now = path_->workers[0]->counters.stages[i].cycles.get();
    passed[i] = static_cast<uint32_t>(now - stage_cycles_[i]);
    stage_cycles_[i] = now;
  }
  return passed;
}

}  // namespace wirelay::bench
