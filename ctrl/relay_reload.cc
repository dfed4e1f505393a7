// What a relay makes of its configuration file: at the start, and each time it is read again.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <malloc.h>

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
    if (auto* users = std::get_if<RenameUsers>(&step.change)) {
      for (Renaming& one : users->all) rename(one.path, "users[", config.user_paths);
    } else if (auto* peers = std::get_if<RenamePeers>(&step.change)) {
      for (Renaming& one : peers->all) rename(one.path, "peers[", config.peer_paths);
    } else if (std::holds_alternative<AddUser>(step.change) ||
               std::holds_alternative<SetUser>(step.change)) {
      rename(step.path, "users[", config.user_paths);
    } else if (std::holds_alternative<AddPeer>(step.change) ||
               std::holds_alternative<SetPeer>(step.change)) {
      rename(step.path, "peers[", config.peer_paths);
    }
  }
}

/// The registry has them now. The room that they took goes, too: "= {}" would leave it to whoever
/// destroys the configuration.
void forget_users(Config& config) {
  const auto forget = [](auto& list) { list = std::remove_reference_t<decltype(list)>(); };
  forget(config.users);
  forget(config.peers);
  forget(config.user_paths);
  forget(config.peer_paths);
}

/// What makes the file's users and peers those of `config`, which lives as long.
ChangeRequest request_of(const Config& config, const ReloadOptions& options) {
  ChangeRequest request;
  request.origin = Origin::kFile;
  request.what = "reload";
  request.dry_run = options.dry_run;
  request.make_steps = [&config, force = options.force](const Registry& registry,
                                                        const std::stop_token& stop) {
    std::vector<Step> steps = registry.difference(config.users, config.peers, force, stop);
    name_places(steps, config);
    return steps;
  };
  return request;
}

/// Null without NAT.
std::shared_ptr<const dataplane::NatStatics> make_statics(const Config& config) {
  if (!config.nat44) return nullptr;
  return std::make_shared<const dataplane::NatStatics>(config.nat44->settings.statics);
}

/// Keeps what a relay begins with.
class FirstPage : public Journal {
 public:
  FirstPage(Store& store, const Stored& before) : store_(store), before_(before) {}
  void keep(std::span<const Prepared> requests) override {
    store_.replace(before_, requests.front().events);
  }
  /// The relay does not start then; what it would have begun with is found anew the next time.
  void take_back(std::span<const Prepared>) override {}

 private:
  Store& store_;
  const Stored& before_;
};

}  // namespace

void Relay::begin_with_users() {
  ChangeRequest request = request_of(config_, {.force = true});
  std::optional<FirstPage> page;
  if (beginning_) {
    beginning_->number(config_.users, config_.peers);
    request.origin = std::nullopt;  // the store's are another's than the file's
    request.make_steps = [this, of_file = std::move(request.make_steps)](
                             const Registry& registry, const std::stop_token& stop) {
      std::vector<Step> steps = of_file(registry, stop);
      std::vector<Step> stored = beginning_->steps();
      if (steps.empty()) return stored;
      std::ranges::move(stored, std::back_inserter(steps));
      return steps;
    };
    page.emplace(*store_, beginning_->stored());
  }
  const ChangeOutcome outcome =
      pass_at_once(registry_, publisher_, page ? &*page : nullptr, request);
  if (outcome.error) std::rethrow_exception(outcome.error);
  if (beginning_) {
    registry_.restore_released(beginning_->stored().released);
    resume_lives();
  }
  beginning_.reset();
  forget_users(config_);
  malloc_trim(0);
}

void Relay::apply(std::shared_ptr<LoadedConfig> loaded, const ReloadOptions& options,
                  Reloader::Done done) {
  ChangeRequest request = request_of(loaded->config, options);
  door_.submit(
      std::move(request), [this, loaded, options, done = std::move(done)](ChangeOutcome outcome) {
        tell_of({Origin::kFile, options.caller, "config.reload"}, outcome);
        // Here: it would take the control thread too long.
        forget_users(loaded->config);
        auto statics = make_statics(loaded->config);
        loop_.post([this, loaded, dry_run = options.dry_run, done, outcome = std::move(outcome),
                    statics = std::move(statics)] {
          ReloadOutcome result{
              outcome.error, outcome.counts, outcome.difference, {}, loaded->config.warnings};
          result.needs_restart = needs_restart(config_, loaded->config);
          if (loaded->identity != identity_.public_key) {
            result.needs_restart.insert(result.needs_restart.begin(), "identity");
          }
          if (!result.error && !dry_run) adopt(loaded->config, statics, result);
          done(result);
        });
      });
}

void Relay::adopt(const Config& next, const std::shared_ptr<const dataplane::NatStatics>& statics,
                  const ReloadOutcome& outcome) {
  config_.public_endpoint = next.public_endpoint;
  config_.client_dns = next.client_dns;
  config_.isolation = next.isolation;
  config_.open_groups = next.open_groups;
  datapath_.shared().set_isolation(next.isolation, next.open_groups);
  if (nat_ && config_.nat44 != next.nat44 && same_at_start(config_.nat44, next.nat44)) {
    config_.nat44 = next.nat44;
    nat_->adopt(next.nat44->settings.each, statics);
  }
  config_.users_file = next.users_file;
  config_.http.series_for = next.http.series_for;
  config_.http.series_limit = next.http.series_limit;
  if (config_.log_level != next.log_level) set_log_level(next.log_level);
  config_.log_level = next.log_level;
  for (const std::string& warning : next.warnings) log_warning("{}", warning);
  const ChangeCounts& counts = outcome.counts;
  log_info(
      "reloaded: users {} added, {} changed, {} removed; peers {} added, {} changed, {} "
      "removed",
      counts.users_added, counts.users_changed, counts.users_removed, counts.peers_added,
      counts.peers_changed, counts.peers_removed);
  if (!outcome.needs_restart.empty()) {
    log_warning("changed in {}, but in force only after a restart: {}", file_,
                fmt::join(outcome.needs_restart, ", "));
  }
}

void Relay::log_failure(const ReloadOutcome& outcome) {
  if (!outcome.error) return;
  try {
    std::rethrow_exception(outcome.error);
  } catch (const Refused& refused) {
    for (const std::string& line : lines_of(refused.problems)) log_error("{}", line);
    log_error("not reloaded, nothing was changed");
  } catch (const std::exception& error) {  // the relay goes on with what it has
    log_error("not reloaded: {}", error.what());
  }
}

}  // namespace wirelay::ctrl
