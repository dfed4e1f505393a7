// There are few clients: a list is fast enough.
#include "ctrl/api/turns.h"

#include <algorithm>

namespace wirelay::ctrl::api {

void Turns::want(Turn& turn) {
  if (std::ranges::find(waiting_, &turn) != waiting_.end()) return;
  turn.used_ns = std::max(turn.used_ns, level_ns_);
  waiting_.push_back(&turn);
}

void Turns::forget(const Turn& turn) { std::erase(waiting_, &turn); }

Turn* Turns::next() {
  const auto least = std::ranges::min_element(
      waiting_, {}, [](const Turn* turn) { return turn->used_ns + turn->next_ns; });
  if (least == waiting_.end()) return nullptr;
  Turn* turn = *least;
  waiting_.erase(least);
  level_ns_ = std::max(level_ns_, turn->used_ns);
  return turn;
}

}  // namespace wirelay::ctrl::api
