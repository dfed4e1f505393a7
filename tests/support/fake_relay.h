// A relay without a data path, behind the face that the API is written against: a real registry,
// and counters that tests set.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/api/exchange.h"
#include "ctrl/relay_face.h"

namespace wirelay::test {

/// Writes down what it is told: "user+ alice", "peer~ alice-phone", "user- alice".
class RecordingObserver : public ctrl::ChangeObserver {
 public:
  std::vector<std::string> heard;
  bool recording = true;

  bool tell(const ctrl::ChangeEvent& event) override;
};

/// The relay's own addresses are 10.77.0.1 and fd77::1; it has one port and one worker.
class FakeRelay : public ctrl::RelayFace {
 public:
  explicit FakeRelay(uint32_t users = 20'000);

  RecordingObserver observer;
  ctrl::Config running;
  dataplane::WorkerCounters worker;
  ctrl::ProtocolCounters counters;
  ctrl::NeighbourCounters counters_of_neighbours;
  std::map<std::string, ctrl::PeerStatus> peer_statuses;
  std::function<ctrl::ReloadOutcome()> on_reload;
  ctrl::ReloadOptions reload_options;  // of the last reload
  bool slow_reload = false;            // reloads wait in `reloading` for the test
  std::vector<ctrl::Reloader::Done> reloading;

  std::function<void()> on_collect = [] {};
  uint16_t mtu = 1500;  // of its port

  ctrl::EventLoop loop;  // the API's
  ctrl::events::Log events;

  /// Answers a line as the API does, turning its loop until all is there.
  std::string answer(std::string_view line, const ctrl::api::ExchangeLimits& limits = {},
                     ctrl::api::Right right = ctrl::api::Right::kChange);

  const ctrl::Registry& registry() const override { return registry_; }
  /// At once, in the smallest slices.
  void collect(Work work) override;
  /// At once.
  void change(ctrl::ChangeRequest request, ctrl::Door::Done done) override;
  /// The same for a test's own steps; throws Refused.
  void apply(std::vector<ctrl::Step> steps);
  const ctrl::Config& config() const override { return running; }
  const crypto::PublicKey& public_key() const override { return public_key_; }
  uint64_t uptime_ns() const override { return 93'784'000'000'000; }  // 1 d 2 h 3 min 4 s
  uint64_t tsc_hz() const override { return 2'000'000'000; }
  std::vector<crypto::EngineInfo> engines() const override;
  crypto::EngineInfo engine() const override { return engines().front(); }
  bool uses_huge_pages() const override { return false; }
  std::vector<const dataplane::WorkerCounters*> workers() const override { return {&worker}; }
  size_t port_count() const override { return 1; }
  ctrl::PortStatus port(size_t i) const override;
  uint16_t tunnel_mtu() const override { return mtu; }
  std::vector<ctrl::NeighbourStatus> neighbours() const override;
  const ctrl::NeighbourCounters& neighbour_counters() const override {
    return counters_of_neighbours;
  }
  const ctrl::ProtocolCounters& protocol_counters() const override { return counters; }
  ctrl::UserStatus user_status(const std::string& name) const override;
  ctrl::PeerStatus peer_status(const std::string& name) const override;
  uint32_t sessions_in_use() const override { return 7; }
  ctrl::PeerCounts peer_counts() const override { return {registry_.peer_count(), 1}; }
  const ctrl::LoadMeter& load() const override { return load_meter; }
  ctrl::LoadMeter load_meter{{&worker}};
  std::vector<ctrl::RingDepth> ring_depths() const override { return {{0, "waiting", 3}}; }
  std::optional<ctrl::NatStatus> nat() const override { return nat_status; }
  std::optional<ctrl::NatBlockStatus> nat_block(uint32_t number) const override {
    const auto found = nat_blocks.find(number);
    return found == nat_blocks.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<ctrl::NatStatus> nat_status;
  std::map<uint32_t, ctrl::NatBlockStatus> nat_blocks;
  /// What lies in `kept`; without it, nothing is kept.
  void look(std::function<void(const ctrl::Database* store)> read) const override {
    read(kept.get());
  }
  void back_up(const std::string& file,
               std::function<void(std::exception_ptr error)> done) override;
  void drain(uint64_t seconds, std::function<void(const ctrl::DrainStatus&)> done) override {
    drained = {3, seconds};
    done(*drained);
  }
  std::optional<ctrl::DrainStatus> draining() const override { return drained; }
  std::optional<ctrl::DrainStatus> drained;
  ctrl::UsageStep usage_step(const std::string&) const override { return step; }
  ctrl::StoreStatus store() const override { return {kept ? kept->file() : "", ""}; }
  std::unique_ptr<ctrl::Database> kept;
  ctrl::UsageStep step;
  ctrl::TurnStatus turns() const override { return {{40'000, 2'100, 900}, "timers"}; }
  void reload(const ctrl::ReloadOptions& options, ctrl::Reloader::Done done) override;

 private:
  ctrl::Registry registry_;
  crypto::PublicKey public_key_;
};

/// A key that depends on `seed` alone.
crypto::PublicKey test_key(uint32_t seed);

}  // namespace wirelay::test
