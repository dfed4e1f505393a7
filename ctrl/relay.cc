// Start, loop, reload and end of a relay; what it tells of itself stands in relay_status.cc.
#include "ctrl/relay.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <set>

#include <malloc.h>

#include "ctrl/log.h"
#include "ctrl/stop_request.h"
#include "ctrl/version.h"

namespace wirelay::ctrl {

namespace {

using std::chrono::milliseconds;

/// Between turns when there is nothing to do: short enough that the first packet to a new
/// neighbour does not wait long, long enough to cost an idle machine next to nothing.
constexpr milliseconds kBusyDelay(1), kLongestDelay(4);
constexpr uint64_t kTickNs = 10'000'000;
constexpr uint64_t kFlushNs = 1'000'000'000;

/// Paths that Registry::difference() gave, "users[3]", as the file has them: users and peers stand
/// in other places there, and in two files.
void name_places(std::vector<Step>& steps, const Config& config) {
  const auto rename = [](std::string& path, const char* list, const auto& places) {
    const std::string_view prefix = list;
    size_t i = 0;
    if (path.starts_with(prefix) &&
        std::from_chars(path.data() + prefix.size(), path.data() + path.size(), i).ec ==
            std::errc() &&
        i < places.size()) {
      path = places[i];
    }
  };
  for (Step& step : steps) {
    if (std::holds_alternative<AddUser>(step.change) ||
        std::holds_alternative<SetUser>(step.change)) {
      rename(step.path, "users[", config.user_paths);
    } else if (std::holds_alternative<AddPeer>(step.change) ||
               std::holds_alternative<SetPeer>(step.change)) {
      rename(step.path, "peers[", config.peer_paths);
    }
  }
}

/// What steps will do to `registry`.
ReloadResult count(const std::vector<Step>& steps, const Registry& registry) {
  ReloadResult result;
  std::set<std::string> changed_peers;  // one may take two steps
  for (const Step& step : steps) {
    if (std::holds_alternative<AddUser>(step.change)) ++result.users_added;
    if (std::holds_alternative<SetUser>(step.change)) ++result.users_changed;
    if (std::holds_alternative<AddPeer>(step.change)) ++result.peers_added;
    if (std::holds_alternative<RemovePeer>(step.change)) ++result.peers_removed;
    if (const auto* set = std::get_if<SetPeer>(&step.change))
      changed_peers.insert(set->change.name);
    if (const auto* remove = std::get_if<RemoveUser>(&step.change)) {
      ++result.users_removed;
      result.peers_removed += registry.peers_of(remove->name).size();
    }
  }
  result.peers_changed = changed_peers.size();
  return result;
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
      server_(loop_.base(), *this, config_.control_socket),
      eal_(config_, verbose),
      datapath_(config_, eal_.ports(), engine_.name, identity_.public_key),
      prefix_writer_(datapath_.shared().prefixes, datapath_.shared().rcu),
      session_writer_(datapath_.shared().sessions, datapath_.shared().rcu),
      peer_writer_(datapath_.shared().peers, prefix_writer_, datapath_.shared().rcu),
      neighbours_(datapath_.shared(), prefix_writer_, config_),
      protocol_(datapath_.shared(), session_writer_, peer_writer_, neighbours_, identity_),
      publisher_(datapath_.shared(), peer_writer_, protocol_),
      registry_(registry_limits(config_), publisher_),
      pump_(datapath_.shared(), protocol_, neighbours_),
      start_ns_(read_clocks().ns) {
  publisher_.attach(registry_);
  apply_users(config_);
  stop_if_requested();
  config_.users = {};
  config_.peers = {};
  config_.user_paths = {};
  config_.peer_paths = {};
  malloc_trim(0);
  datapath_.launch();
  log_start();
}

Relay::~Relay() {
  // Workers first: from here on nobody else looks at tables and rings.
  datapath_.stop();
  log_limiter().finish(read_clocks().ns);
  log_totals();
}

void Relay::run() {
  std::signal(SIGPIPE, SIG_IGN);
  for (const int signal : {SIGTERM, SIGINT}) {
    loop_.on_signal(signal, [this, signal] {
      log().info("stopping on {}", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      loop_.stop();
    });
  }
  loop_.on_signal(SIGHUP, [this] { reload_on_signal(); });
  loop_.repeat([this] { return turn(); });
  stop_if_requested();  // one that came before the loop could hear of it
  loop_.run();
}

milliseconds Relay::turn() {
  const Pump::Result result = pump_.turn();
  datapath_.shared().rcu.poll();
  const Now now = read_clocks();
  if (now.ns >= next_tick_ns_) {
    next_tick_ns_ = now.ns + kTickNs;
    protocol_.tick(now);
    neighbours_.tick(now);
  }
  if (now.ns >= next_flush_ns_) {
    next_flush_ns_ = now.ns + kFlushNs;
    log_limiter().flush(now.ns);
  }
  if (result == Pump::Result::kMore) return milliseconds(0);
  const milliseconds delay = result == Pump::Result::kDone ? kBusyDelay : idle_;
  idle_ = std::min(2 * delay, kLongestDelay);
  return delay;
}

ReloadResult Relay::apply_users(const Config& next) {
  std::vector<Step> steps = registry_.difference(next.users, next.peers);
  name_places(steps, next);
  ReloadResult result = count(steps, registry_);
  registry_.apply(steps);
  return result;
}

ReloadResult Relay::reload() {
  Config next = load_config(file_);
  const crypto::Secret key = read_private_key(next.private_key_file);
  ReloadResult result = apply_users(next);
  result.needs_restart = needs_restart(config_, next);
  if (crypto::derive_public_key(key) != identity_.public_key) {
    result.needs_restart.insert(result.needs_restart.begin(), "identity");
  }
  config_.public_endpoint = next.public_endpoint;
  config_.client_dns = next.client_dns;
  config_.users_file = next.users_file;
  if (config_.log_level != next.log_level) set_log_level(next.log_level);
  config_.log_level = next.log_level;
  for (const std::string& warning : next.warnings) log().warn("{}", warning);
  log().info(
      "reloaded: users {} added, {} changed, {} removed; peers {} added, {} changed, {} "
      "removed",
      result.users_added, result.users_changed, result.users_removed, result.peers_added,
      result.peers_changed, result.peers_removed);
  if (!result.needs_restart.empty()) {
    log().warn("changed in {}, but in force only after a restart: {}", file_,
               fmt::join(result.needs_restart, ", "));
  }
  return result;
}

void Relay::reload_on_signal() {
  try {
    reload();
  } catch (const Refused& refused) {
    for (const std::string& line : lines_of(refused)) log().error("{}", line);
    log().error("not reloaded, nothing has changed");
  } catch (const std::exception& error) {  // the relay goes on with what it has
    log().error("not reloaded: {}", error.what());
  }
}

void Relay::log_start() const {
  for (const std::string& warning : config_.warnings) log().warn("{}", warning);
  if (config_.polling == dataplane::Polling::kBusy && shares_cores(config_)) {
    log().warn(
        "workers.polling is \"busy\", but a worker shares its core with another or with the "
        "control thread; give each a core of its own, or poll \"adaptive\"");
  }
  log().info(
      "relayd {} runs: public key {}; workers: {}, {} polling; engine: {}; {}; users: {}, "
      "peers: {}",
      version(), crypto::to_base64(identity_.public_key), config_.worker_cores.size(),
      config_.polling == dataplane::Polling::kBusy ? "busy" : "adaptive", engine_.name,
      eal_.huge_pages() ? "huge pages" : "no huge pages", registry_.user_count(),
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
  log().info("stopped after {} s: {} packets received, {} sent, {} handshakes; dropped: {}",
             uptime_ns() / 1'000'000'000, received, sent, protocol_.counters().handshakes_completed,
             drops.empty() ? "none" : drops);
}

}  // namespace wirelay::ctrl
