// Reloads: the difference between a configuration that was read and what runs.
#include <charconv>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "ctrl/base/log.h"
#include "ctrl/relay.h"

namespace wirelay::ctrl {

namespace {

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

}  // namespace

ReloadResult Relay::apply_users(const Config& next) {
  std::vector<Step> steps = registry_.difference(next.users, next.peers);
  name_places(steps, next);
  ReloadResult result = count(steps, registry_);
  registry_.apply(steps);
  return result;
}

ReloadResult Relay::apply(const Config& next, const crypto::PublicKey& identity) {
  ReloadResult result = apply_users(next);
  result.needs_restart = needs_restart(config_, next);
  if (identity != identity_.public_key) {
    result.needs_restart.insert(result.needs_restart.begin(), "identity");
  }
  config_.public_endpoint = next.public_endpoint;
  config_.client_dns = next.client_dns;
  config_.users_file = next.users_file;
  if (config_.log_level != next.log_level) set_log_level(next.log_level);
  config_.log_level = next.log_level;
  for (const std::string& warning : next.warnings) log_warning("{}", warning);
  log_info(
      "reloaded: users {} added, {} changed, {} removed; peers {} added, {} changed, {} "
      "removed",
      result.users_added, result.users_changed, result.users_removed, result.peers_added,
      result.peers_changed, result.peers_removed);
  if (!result.needs_restart.empty()) {
    log_warning("changed in {}, but in force only after a restart: {}", file_,
                fmt::join(result.needs_restart, ", "));
  }
  return result;
}

void Relay::tell_signal_reload() {
  if (!signal_reload_ || !signal_reload_->done()) return;
  const auto reload = std::exchange(signal_reload_, nullptr);
  if (!reload->error) return;
  try {
    std::rethrow_exception(reload->error);
  } catch (const Refused& refused) {
    for (const std::string& line : lines_of(refused)) log_error("{}", line);
    log_error("not reloaded, nothing has changed");
  } catch (const std::exception& error) {  // the relay goes on with what it has
    log_error("not reloaded: {}", error.what());
  }
}

}  // namespace wirelay::ctrl
