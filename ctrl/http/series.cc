// Patterns one after the other, users in the order of names, peers by user.
#include "ctrl/http/series.h"

#include <algorithm>

namespace wirelay::ctrl::http {

namespace {

bool is_beginning(std::string_view pattern) { return pattern.ends_with('*'); }

/// What names begin with.
std::string_view beginning_of(std::string_view pattern) {
  return pattern.substr(0, pattern.size() - 1);
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  return is_beginning(pattern) ? name.starts_with(beginning_of(pattern)) : name == pattern;
}

bool SeriesList::run(const RelayFace& relay, const Slice& slice) {
  do {
    if (!within_ && !begin_next(relay.registry(), relay.config().http)) return true;
    if (within_ && !add_peers(relay, slice)) return false;
  } while (!slice.over());
  return false;
}

/// False when there is no next one. One that another pattern has brought is passed by.
bool SeriesList::begin_next(const Registry& registry, const HttpConfig& config) {
  if (cut_ || pattern_ >= config.series_for.size()) return false;
  const UserPtr user = next_of(registry, config.series_for[pattern_]);
  if (!user) {
    ++pattern_;
    in_pattern_ = false;
    return true;
  }
  in_pattern_ = true;
  last_ = user->name;
  const auto before = config.series_for.begin() + static_cast<ptrdiff_t>(pattern_);
  if (std::any_of(config.series_for.begin(), before,
                  [&](const std::string& pattern) { return matches(pattern, user->name); })) {
    return true;
  }
  entries_ += 1 + registry.peers_of(user->name).size();
  cut_ = entries_ > config.series_limit;
  if (cut_) return false;
  users_.push_back({{user, {}}, {}});
  within_ = true;
  return true;
}

UserPtr SeriesList::next_of(const Registry& registry, const std::string& pattern) const {
  if (!is_beginning(pattern)) return in_pattern_ ? nullptr : registry.user(pattern);
  const std::string beginning(beginning_of(pattern));
  if (!in_pattern_) {
    if (UserPtr user = registry.user(beginning)) return user;
  }
  const auto next = registry.users_after(in_pattern_ ? last_ : beginning, 1);
  return !next.empty() && matches(pattern, next.front()->name) ? next.front() : nullptr;
}

/// True when all of its peers are there.
bool SeriesList::add_peers(const RelayFace& relay, const Slice& slice) {
  UserSeries& series = users_.back();
  UserStatus& sum = series.user.status;
  const std::string& name = series.user.spec->name;
  if (series.peers.empty()) sum = relay.user_status(name);
  const auto& names = relay.registry().peers_of(name);
  auto next =
      series.peers.empty() ? names.begin() : names.upper_bound(series.peers.back().spec->name);
  for (; next != names.end(); ++next) {
    const PeerStatus status = relay.peer_status(*next);
    sum.traffic += status.traffic;
    ++sum.peers;
    sum.peers_connected += status.has_session ? 1 : 0;
    series.peers.push_back({relay.registry().peer(*next), status});
    if (slice.over()) return false;
  }
  within_ = false;
  return true;
}

}  // namespace wirelay::ctrl::http
