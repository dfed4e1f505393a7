// Start, loop and end of a relay. Its reloads stand in relay_reload.cc, what it tells of itself in
// relay_status.cc.
#include "ctrl/relay.h"

#include <algorithm>
#include <csignal>
#include <set>

#include "ctrl/base/for_process.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/base/log.h"
#include "ctrl/base/log_limiter.h"
#include "ctrl/base/read_socket.h"
#include "ctrl/base/version.h"
#include "ctrl/host/group.h"
#include "ctrl/host/side_thread.h"
#include "ctrl/host/stop_request.h"
#include "ctrl/protocol/load_guard.h"
#include "ctrl/service/harden.h"

namespace wirelay::ctrl {

namespace {

using std::chrono::milliseconds;

/// Between turns when there is nothing to do: short enough that the first packet to a new
/// neighbour does not wait long, long enough to cost an idle machine next to nothing.
constexpr milliseconds kBusyDelay(1), kLongestDelay(4);
/// For what waits behind packets and timers, in each turn.
constexpr std::chrono::microseconds kAgendaTime(1500);
/// For what has waited for a grace period, in each turn; so many calls between looks at the clock.
constexpr std::chrono::microseconds kDeferredTime(500);
constexpr unsigned kDeferredAtOnce = 64;
/// For what time does to users (quotas begin anew), in each turn.
constexpr std::chrono::microseconds kUsersTime(400);
/// No turn is to take more CPU time.
constexpr milliseconds kLongTurn(5);
constexpr uint64_t kTickNs = 10'000'000;
constexpr uint64_t kFlushNs = kNsPerSecond;

void run_deferred(dataplane::Rcu& rcu) {
  const Slice slice(kDeferredTime);
  for (size_t before = 0; before != rcu.pending() && !slice.over();) {
    before = rcu.pending();
    rcu.poll(kDeferredAtOnce);
  }
}

RegistryLimits limits_of(const Config& config, const crypto::Identity& identity) {
  RegistryLimits limits = registry_limits(config);
  limits.own_key = identity.public_key;
  return limits;
}

/// Nothing for "". Throws std::runtime_error.
std::optional<gid_t> group_of(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto group = find_group(name);
  if (!group) throw std::runtime_error("there is no group " + in_quotes(name));
  return group;
}

std::optional<api::SocketFile> make_read_socket(const Config& config) {
  const auto group = group_of(config.control_read_group);
  if (!group) return std::nullopt;
  return std::make_optional<api::SocketFile>(read_socket_of(config.control_socket), group);
}

std::optional<api::SocketFile> make_wg_socket(const Config& config) {
  if (config.wg.interface.empty()) return std::nullopt;
  return std::make_optional<api::SocketFile>(wg::socket_of(config.wg.interface),
                                             group_of(config.control_socket_group));
}

/// As configured, or one for each core that is left beside the control thread's.
unsigned handshake_threads(const Config& config, const std::vector<unsigned>& side_cores) {
  constexpr ptrdiff_t kMost = 4;
  const ptrdiff_t left = static_cast<ptrdiff_t>(side_cores.size()) -
                         std::ranges::count(side_cores, config.control_core);
  return config.handshake_threads.value_or(static_cast<unsigned>(std::min(left, kMost)));
}

std::unique_ptr<AnswerThreads> make_answer_threads(unsigned threads, const HandshakeCost& cost,
                                                   EventLoop& loop) {
  if (threads == 0) return nullptr;
  return std::make_unique<AnswerThreads>(threads, cost.answering_ns,
                                         [&loop] { loop.post([] {}); });  // a turn, soon
}

/// Null for "none".
std::unique_ptr<Store> make_store(const Config& config) {
  if (config.store.empty()) return nullptr;
  auto store = std::make_unique<Store>(config.store);
  if (!store->refusal().empty()) {
    log_error(
        "the store is only read: {}; users are as it has them, changes are refused and usage is "
        "not kept until the relay is started again and can write it",
        store->refusal());
  }
  return store;
}

/// What threads beside workers and control may run on from now on.
std::vector<unsigned> give_side_cores(const Config& config) {
  std::vector<unsigned> cores = side_cores(config, allowed_cores());
  set_side_cores(cores);
  return cores;
}

/// Null for none.
std::unique_ptr<IpfixExporter> make_ipfix(const Config& config) {
  if (!config.nat44 || !config.nat44->collector) return nullptr;
  return std::make_unique<IpfixExporter>(*config.nat44->collector, config.nat44->domain);
}

bool shares_cores(const Config& config) {
  std::set<unsigned> cores = {config.control_core};
  return std::ranges::any_of(config.worker_cores,
                             [&](unsigned core) { return !cores.insert(core).second; });
}

}  // namespace

Relay::Relay(std::string file, Config config, bool verbose)
    : file_(std::move(file)),
      config_(std::move(config)),
      identity_(crypto::make_identity(read_private_key(config_.private_key_file))),
      engines_(crypto::list_engines()),
      engine_(crypto::choose_engine(config_.aead_engine)),
      events_(read_clocks().unix_ns),
      event_log_(config_.events_kept),
      socket_(config_.control_socket, group_of(config_.control_socket_group)),
      read_socket_(make_read_socket(config_)),
      wg_socket_(make_wg_socket(config_)),
      http_socket_(config_.http.listen
                       ? std::make_optional<http::ListenSocket>(*config_.http.listen)
                       : std::nullopt),
      store_(make_store(config_)),
      beginning_(store_ ? std::optional<Beginning>(std::in_place, config_.store, store_->read())
                        : std::nullopt),
      side_cores_(give_side_cores(config_)),
      eal_(config_, verbose),
      datapath_(config_, eal_.ports(), engine_.name, identity_.public_key),
      prefix_writer_(datapath_.shared().prefixes, datapath_.shared().rcu),
      session_writer_(datapath_.shared().sessions, datapath_.shared().rcu),
      peer_writer_(datapath_.shared().peers, prefix_writer_, datapath_.shared().rcu),
      neighbours_(datapath_.shared(), prefix_writer_, config_),
      links_(datapath_.shared(), datapath_.watched(),
             [this](uint16_t port, bool up) { link_changed(port, up); }),
      handshake_cost_(measure_handshake()),
      handshake_threads_(handshake_threads(config_, side_cores_)),
      answer_threads_(make_answer_threads(handshake_threads_, handshake_cost_, loop_)),
      protocol_(datapath_.shared(), session_writer_, peer_writer_, neighbours_, identity_,
                handshake_cost_.of_control(handshake_threads_), answer_threads_.get()),
      publisher_(make_for_process<Publisher>(datapath_.shared(), peer_writer_, protocol_)),
      registry_(make_for_process<Registry>(limits_of(config_, identity_),
                                           beginning_ ? beginning_->stored().next_user_id : 1)),
      peer_events_(events_, publisher_),
      ipfix_(make_ipfix(config_)),
      nat_(config_.nat44
               ? std::make_unique<NatDesk>(
                     datapath_.shared(), [this](const dataplane::NatBlockRecord& r) { tell_of(r); })
               : nullptr),
      pump_(datapath_.shared(), protocol_, neighbours_, nat_.get()),
      backup_(config_.store),
      door_(registry_, publisher_, loop_, agenda_, store_.get()),
      reloader_(file_, loop_,
                [this](auto loaded, const ReloadOptions& options, Reloader::Done done) {
                  apply(std::move(loaded), options, std::move(done));
                }),
      server_(api_loop_, *this, event_log_),
      start_ns_(read_clocks().ns),
      load_(datapath_.counters()),
      watchdog_(manager_, datapath_.counters(), start_ns_) {
  server_.listen(socket_, api::Right::kChange);
  if (read_socket_) server_.listen(*read_socket_, api::Right::kRead);
  if (wg_socket_) {
    wg_.emplace(api_loop_, *this, *wg_socket_,
                wg::Device{identity_.public_key, config_.udp_ports.front(), config_.wg.user});
  }
  if (http_socket_) {
    http_.emplace(http_loop_, *this, *http_socket_);
    http_thread_.emplace(http_loop_, "http");
  }
  watch_events();
  publisher_.tick(read_clocks(), kUsersTime);  // so that periods begin now
  begin_with_users();
  stop_if_requested();
  links_.turn(read_clocks().ns);  // workers send by those that are up
  datapath_.launch();
  log_start();
  api_thread_.emplace(api_loop_, "api");  // now that nothing else writes to the registry
}

Relay::~Relay() {
  if (http_) http_->set_phase(http::Server::Phase::kStopping);
  // Workers first: from here on nobody else looks at tables and rings.
  datapath_.stop();
  end_usage();
  log_limiter().finish(read_clocks().ns);
  log_totals();
}

void Relay::run() {
  for (const int signal : {SIGTERM, SIGINT}) {
    loop_.on_signal(signal, [this, signal] {
      log_info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      manager_.tell("STOPPING=1");
      loop_.stop();
    });
  }
  loop_.on_signal(SIGHUP, [this] { reloader_.ask({}, log_failure); });
  loop_.repeat([this] { return turn(); });
  stop_if_requested();  // one that came before the loop could hear of it
  harden(config_);
  if (http_) http_->set_phase(http::Server::Phase::kServing);
  manager_.tell("READY=1");
  loop_.run();
}

milliseconds Relay::turn() {
  TurnMeter& meter = loop_.meter();
  const Pump::Result result = pump_.turn();
  meter.mark("packets");
  run_deferred(datapath_.shared().rcu);
  meter.mark("grace periods");
  const Now now = read_clocks();
  if (now.ns >= next_tick_ns_) {
    next_tick_ns_ = now.ns + kTickNs;
    protocol_.tick(now);
    meter.mark("timers");
    links_.turn(now.ns);
    watchdog_.tick(now.ns);
    end_drained(now.ns);
    meter.mark("links");
    neighbours_.tick(now);
    meter.mark("neighbours");
    if (nat_) {
      nat_->tick(now.ns);
      meter.mark("NAT");
    }
    users_due_ = true;
  }
  if (users_due_) {
    users_due_ = !publisher_.tick(now, kUsersTime);
    meter.mark("users");
  }
  if (now.ns >= next_flush_ns_) {
    next_flush_ns_ = now.ns + kFlushNs;
    log_limiter().flush(now.ns);
    keep_events();
    peer_events_.tick(now.ns);
    log_longest_turn();
    if (ipfix_) ipfix_->flush(now.unix_ns);
    meter.mark("log");
    load_.tick(now.tsc);
    meter.mark("load");
  }
  if (usage_ && !in_lap_ && usage_->due(now)) begin_lap(now);
  agenda_.run(Slice(kAgendaTime));
  meter.mark("agenda");
  events_.flush(now.unix_ns);
  meter.mark("events");
  if (result == Pump::Result::kMore || !agenda_.empty() || users_due_) return milliseconds(0);
  const milliseconds delay = result == Pump::Result::kDone ? kBusyDelay : idle_;
  idle_ = std::min(2 * delay, kLongestDelay);
  return delay;
}

void Relay::drain(uint64_t seconds, std::function<void(const DrainStatus&)> done) {
  loop_.post([this, seconds, done = std::move(done)] {
    drain_.begin(read_clocks().ns, seconds);
    protocol_.close();
    events::Event event{.kind = events::Kind::kDraining};
    event.fields = {{"connected", uint64_t{protocol_.peer_counts().connected}},
                    {"seconds", seconds}};
    events_.tell(std::move(event));
    done(*draining());
  });
}

void Relay::end_drained(uint64_t now_ns) {
  if (!drain_.over(now_ns, protocol_.peer_counts().connected)) return;
  log_info("drained: {} peers are still connected", protocol_.peer_counts().connected);
  manager_.tell("STOPPING=1");
  loop_.stop();
}

void Relay::log_longest_turn() {
  const TurnLength longest = loop_.meter().take_longest();
  if (longest.cpu <= kLongTurn) return;
  log_debug("a turn of the control thread took {:.1f} ms, {:.1f} ms of CPU time, most of it: {}",
            static_cast<double>(longest.wall.count()) / 1e6,
            static_cast<double>(longest.cpu.count()) / 1e6, longest.most);
}

void Relay::log_start() const {
  for (const std::string& warning : config_.warnings) log_warning("{}", warning);
  if (config_.polling == dataplane::Polling::kBusy && shares_cores(config_)) {
    log_warning(
        "workers.polling is \"busy\", but a worker shares its core with another or with the "
        "control thread; give each a core of its own, or poll \"adaptive\"");
  }
  log_info(
      "relayd {} runs: public key {}; workers: {}, {} polling; handshake threads: {}; engine: {}; "
      "{}; users: {}, peers: {}",
      version(), crypto::to_base64(identity_.public_key), config_.worker_cores.size(),
      config_.polling == dataplane::Polling::kBusy ? "busy" : "adaptive", handshake_threads_,
      engine_.name, eal_.huge_pages() ? "huge pages" : "no huge pages", registry_.user_count(),
      registry_.peer_count());
}

void Relay::log_totals() const {
  uint64_t received = 0, sent = 0;
  std::string drops;
  const auto workers = datapath_.counters();
  for (const auto* worker : workers) {
    received += worker->rx_packets.get();
    sent += worker->tx_packets.get();
  }
  for (size_t i = 0; i < dataplane::kDropCount; ++i) {
    uint64_t dropped = 0;
    for (const auto* worker : workers) dropped += worker->drops[i].get();
    if (dropped == 0) continue;
    drops += fmt::format("{}{} {}", drops.empty() ? "" : ", ", dataplane::kDrops[i].name, dropped);
  }
  log_info("stopped after {} s: {} packets received, {} sent, {} handshakes; dropped: {}",
           uptime_ns() / kNsPerSecond, received, sent, protocol_.counters().handshakes_completed,
           drops.empty() ? "none" : drops);
}

}  // namespace wirelay::ctrl
