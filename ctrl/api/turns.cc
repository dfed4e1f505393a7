// There are few clients: a list is fast enough.
#include "ctrl/api/turns.h"

#include <algorithm>

namespace wirelay::ctrl::api {

void Turns::want(Turn& turn, uint64_t now_ns) {
  if (std::ranges::find(waiting_, &turn) != waiting_.end()) return;
  turn.since_ns = now_ns;
  waiting_.push_back(&turn);
}

void Turns::forget(const Turn& turn) { std::erase(waiting_, &turn); }

Turn* Turns::next(uint64_t now_ns) {
  if (waiting_.empty()) return nullptr;
  oldest_next_ = !oldest_next_;
  auto chosen = waiting_.begin();
  if (!oldest_next_ || now_ns - (*chosen)->since_ns < kLongWaitNs) {
    chosen = std::ranges::min_element(
        waiting_, {}, [this](const Turn* turn) { return used_by(turn->user) + turn->next_ns; });
  }
  Turn* turn = *chosen;
  waiting_.erase(chosen);
  level_ns_ = std::max(level_ns_, used_by(turn->user));
  std::erase_if(used_, [this](const auto& entry) { return entry.second <= level_ns_; });
  return turn;
}

void Turns::charge(uid_t user, uint64_t used_ns) { used_[user] = used_by(user) + used_ns; }

uint64_t Turns::used_by(uid_t user) const {
  const auto found = used_.find(user);
  return found == used_.end() ? level_ns_ : found->second;
}

}  // namespace wirelay::ctrl::api
