// The running relay: owns everything, from the EAL to the control socket, and runs the control
// thread's loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/noise.h"
#include "ctrl/api/server.h"
#include "ctrl/config/reloader.h"
#include "ctrl/events/change_events.h"
#include "ctrl/events/log.h"
#include "ctrl/events/outbox.h"
#include "ctrl/events/peer_events.h"
#include "ctrl/host/agenda.h"
#include "ctrl/host/datapath.h"
#include "ctrl/host/eal.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/host/loop_thread.h"
#include "ctrl/http/server.h"
#include "ctrl/nat/desk.h"
#include "ctrl/nat/ipfix.h"
#include "ctrl/neighbour/neighbours.h"
#include "ctrl/packets/pump.h"
#include "ctrl/protocol/answer_threads.h"
#include "ctrl/protocol/load_guard.h"
#include "ctrl/relay_face.h"
#include "ctrl/service/manager.h"
#include "ctrl/service/watchdog.h"
#include "ctrl/store/backup.h"
#include "ctrl/store/beginning.h"
#include "ctrl/store/usage.h"
#include "ctrl/users/door.h"
#include "ctrl/users/publisher.h"
#include "ctrl/users/registry.h"
#include "ctrl/wg/server.h"

namespace wirelay::ctrl {

class Relay final : public RelayFace {
 public:
  /// Starts all of it. `file`: where `config` was loaded from, for reloads. Throws Refused with
  /// paths within the configuration, or std::runtime_error.
  Relay(std::string file, Config config, bool verbose);
  ~Relay() override;
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Serves until SIGTERM or SIGINT; SIGHUP reloads.
  void run();

  void collect(Work work) override;
  void change(ChangeRequest request, Door::Done done) override;
  void reload(const ReloadOptions& options, Reloader::Done done) override;
  [[nodiscard]] const Registry& registry() const override { return registry_; }
  [[nodiscard]] const Config& config() const override { return config_; }
  [[nodiscard]] const crypto::PublicKey& public_key() const override {
    return identity_.public_key;
  }
  [[nodiscard]] uint64_t uptime_ns() const override;
  [[nodiscard]] uint64_t tsc_hz() const override;
  [[nodiscard]] std::vector<crypto::EngineInfo> engines() const override { return engines_; }
  [[nodiscard]] crypto::EngineInfo engine() const override { return engine_; }
  [[nodiscard]] bool uses_huge_pages() const override { return eal_.huge_pages(); }
  [[nodiscard]] std::vector<const dataplane::WorkerCounters*> workers() const override;
  [[nodiscard]] size_t port_count() const override;
  [[nodiscard]] PortStatus port(size_t i) const override;
  [[nodiscard]] uint16_t tunnel_mtu() const override;
  [[nodiscard]] std::vector<NeighbourStatus> neighbours() const override;
  [[nodiscard]] const NeighbourCounters& neighbour_counters() const override;
  [[nodiscard]] const ProtocolCounters& protocol_counters() const override;
  [[nodiscard]] UserStatus user_status(const std::string& name) const override;
  [[nodiscard]] PeerStatus peer_status(const std::string& name) const override;
  [[nodiscard]] uint32_t sessions_in_use() const override;
  [[nodiscard]] PeerCounts peer_counts() const override { return protocol_.peer_counts(); }
  [[nodiscard]] const LoadMeter& load() const override { return load_; }
  [[nodiscard]] std::vector<RingDepth> ring_depths() const override;
  [[nodiscard]] std::optional<NatStatus> nat() const override;
  [[nodiscard]] std::optional<NatBlockStatus> nat_block(uint32_t number) const override;
  void look(std::function<void(const Database* store)> read) const override;
  void back_up(const std::string& file,
               std::function<void(std::exception_ptr error)> done) override;
  void drain(uint64_t seconds, std::function<void(const DrainStatus&)> done) override;
  [[nodiscard]] std::optional<DrainStatus> draining() const override;
  [[nodiscard]] UsageStep usage_step(const std::string& user) const override;
  [[nodiscard]] StoreStatus store() const override;
  [[nodiscard]] TurnStatus turns() const override { return loop_.meter().status(); }

 private:
  void begin_with_users();
  void resume_lives();
  void resume(const UserSpec& user, const UserLife& life, const dataplane::Traffic& past);
  void begin_lap(const Now& now);
  void end_usage();
  void keep_events();
  /// When nobody is left.
  void end_drained(uint64_t now_ns);
  void watch_events();
  void link_changed(uint16_t port, bool up);
  void tell_of(const dataplane::NatBlockRecord& record);
  /// Door's thread: what came of a request, as events.
  void tell_of(const events::Asker& asker, const ChangeOutcome& outcome);
  void apply(std::shared_ptr<LoadedConfig> loaded, const ReloadOptions& options,
             Reloader::Done done);
  /// `statics`: the rules of its NAT; null without.
  void adopt(const Config& next, const std::shared_ptr<const dataplane::NatStatics>& statics,
             const ReloadOutcome& outcome);
  static void log_failure(const ReloadOutcome& outcome);
  std::chrono::milliseconds turn();
  /// Of the last second, when it was longer than a turn is to be.
  void log_longest_turn();
  void log_start() const;
  void log_totals() const;

  // In the order in which each needs the ones before it.
  const std::string file_;
  Config config_;  // as it runs; its users live in the registry
  crypto::Identity identity_;
  std::vector<crypto::EngineInfo> engines_;
  crypto::EngineInfo engine_;
  EventLoop loop_;
  Agenda agenda_;
  EventLoop api_loop_;  // here: whatever answers the API goes before it
  EventLoop http_loop_;
  events::Outbox events_;
  events::Log event_log_;  // the API thread's
  // Before the EAL, so that a second relay ends before it takes any port.
  api::SocketFile socket_;
  std::optional<api::SocketFile> read_socket_;  // for those who may look
  std::optional<api::SocketFile> wg_socket_;    // for wg(8)
  std::optional<http::ListenSocket> http_socket_;
  const std::unique_ptr<Store> store_;      // null: nothing is kept
  std::optional<Beginning> beginning_;      // until the relay has begun
  const std::vector<unsigned> side_cores_;  // before the EAL, which moves this thread to its core
  Eal eal_;
  Datapath datapath_;
  dataplane::PrefixWriter prefix_writer_;
  dataplane::SessionWriter session_writer_;
  dataplane::PeerWriter peer_writer_;
  Neighbours neighbours_;
  LinkWatch links_;
  const HandshakeCost handshake_cost_;
  const unsigned handshake_threads_;
  std::unique_ptr<AnswerThreads> answer_threads_;  // null: the protocol does it all
  Protocol protocol_;
  Publisher& publisher_;
  Registry& registry_;
  events::PeerEvents peer_events_;
  const std::unique_ptr<IpfixExporter> ipfix_;  // null: no collector wants records of blocks
  const std::unique_ptr<NatDesk> nat_;          // null: addresses are not translated
  Pump pump_;
  Backup backup_;
  std::optional<Usage> usage_;  // none: nothing is kept, or nothing can be
  bool in_lap_ = false;
  std::vector<events::Batch> events_to_keep_;  // of the last second
  Door door_;
  Reloader reloader_;
  api::Server server_;
  std::optional<wg::Server> wg_;
  std::optional<http::Server> http_;
  const uint64_t start_ns_;
  LoadMeter load_;
  Drain drain_;
  bool users_due_ = false;  // time has done something to users that they are not told of yet
  const ServiceManager manager_;
  Watchdog watchdog_;
  uint64_t next_tick_ns_ = 0, next_flush_ns_ = 0;
  std::chrono::milliseconds idle_{1};  // the delay behind the next turn that finds nothing
  std::optional<LoopThread> http_thread_, api_thread_;  // last: they serve with all of the above
};

}  // namespace wirelay::ctrl
