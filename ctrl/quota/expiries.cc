// One place in the order of moments parts who has expired from who has not; the clock moves it.
#include "ctrl/quota/expiries.h"

#include <algorithm>
#include <limits>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kDaySeconds = 86'400;

/// When the user's time ends; 0: not known, or never.
uint64_t moment_of(const UserSpec& user, uint64_t first_handshake) {
  const uint64_t set = user.values[UserField::kExpires];
  const uint64_t allowed = user.values[UserField::kExpiresAfter];
  if (allowed == 0 || first_handshake == 0) return set;
  const uint64_t after = first_handshake + allowed * kDaySeconds;
  return set == 0 ? after : std::min(set, after);
}

}  // namespace

void Expiries::change(uint32_t number, const UserPtr& user) {
  using F = UserField;
  if (user->values[F::kExpires] == 0 && user->values[F::kExpiresAfter] == 0) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return;
    set_expired(number, {user}, false);
    return remove(number);
  }
  Entry& entry = entries_[number];
  entry.user = user;
  place(number, entry);
}

void Expiries::remove(uint32_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  order_.erase({found->second.at, number});
  entries_.erase(found);
}

/// Where the user stands by what is known of it now.
void Expiries::place(uint32_t number, Entry& entry) {
  const uint64_t at = moment_of(*entry.user, protocol_.first_handshake(number));
  if (entry.at != at) {
    order_.erase({entry.at, number});
    entry.at = at;
    if (at != 0) order_.emplace(at, number);
  }
  set_expired(number, entry, at != 0 && Place{at, number} <= reached_);
}

void Expiries::set_expired(uint32_t number, const Entry& entry, bool expired_now) {
  if (expired(number) == expired_now) return;
  users_.set_ended(number, expired_now);
  rest_.push_back({number, protocol_.peer_count(number)});
  on_change(*entry.user, expired_now, entry.at);
}

ExpiryState Expiries::state(uint32_t number) const { return {protocol_.first_handshake(number)}; }

void Expiries::restore(uint32_t number, const ExpiryState& state) {
  protocol_.set_first_handshake(number, state.first_handshake);
  if (const auto found = entries_.find(number); found != entries_.end()) {
    place(number, found->second);
  }
}

std::optional<ExpiryStatus> Expiries::status(uint32_t number) const {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return std::nullopt;
  return ExpiryStatus{found->second.at, protocol_.first_handshake(number), expired(number)};
}

bool Expiries::tick(const Now& now, const Slice& slice) {
  for (const uint32_t number : protocol_.take_first_handshakes()) {
    if (const auto found = entries_.find(number); found != entries_.end()) {
      place(number, found->second);
    }
  }
  constexpr uint32_t kLast = std::numeric_limits<uint32_t>::max();
  return move_to({now.unix_ns / kNsPerSecond, kLast}, slice) && finish(slice);
}

bool Expiries::move_to(const Place& now, const Slice& slice) {
  while (reached_ < now) {
    const auto next = order_.upper_bound(reached_);
    if (next == order_.end() || *next > now) {
      reached_ = now;
      break;
    }
    reached_ = *next;
    set_expired(next->second, entries_.at(next->second), true);
    if (slice.over()) return false;
  }
  while (reached_ > now) {
    const auto behind = order_.upper_bound(reached_);
    if (behind == order_.begin() || *std::prev(behind) <= now) {
      reached_ = now;
      break;
    }
    const Place last = *std::prev(behind);
    reached_ = last.second == 0 ? Place{last.first - 1, std::numeric_limits<uint32_t>::max()}
                                : Place{last.first, last.second - 1};
    set_expired(last.second, entries_.at(last.second), false);
    if (slice.over()) return false;
  }
  return true;
}

/// What follows from it for the users' peers, one at a time.
bool Expiries::finish(const Slice& slice) {
  while (!rest_.empty()) {
    Rest& rest = rest_.front();
    if (rest.peers == 0) {
      rest_.pop_front();
      continue;
    }
    --rest.peers;
    protocol_.follow_user(rest.number);
    if (slice.over()) return false;
  }
  return true;
}

}  // namespace wirelay::ctrl
