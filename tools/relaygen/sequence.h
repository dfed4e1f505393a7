// Tells new, doubled and overtaken packets of one flow apart, in 16 bytes a flow.
#pragma once

#include <cstdint>

namespace wirelay::relaygen {

enum class Arrival {
  kInOrder,    // beyond all that came before (what it jumped over is missing so far)
  kReordered,  // a missing one that was overtaken
  kDuplicate,  // came before
};

/// Numbers start at 0. The last 64 are remembered one by one; what comes later than that is taken
/// as reordered, since nobody knows any more whether it came before.
class SequenceTracker {
 public:
  Arrival take(uint64_t number) noexcept {
    if (number >= next_) {
      const uint64_t step = number - next_ + 1;
      seen_ = (step < 64 ? seen_ << step : 0) | 1;
      next_ = number + 1;
      return Arrival::kInOrder;
    }
    const uint64_t behind = next_ - 1 - number;
    if (behind >= 64) return Arrival::kReordered;
    const uint64_t bit = uint64_t{1} << behind;
    if ((seen_ & bit) != 0) return Arrival::kDuplicate;
    seen_ |= bit;
    return Arrival::kReordered;
  }

 private:
  uint64_t next_ = 0;  // the greatest number that came, plus 1
  uint64_t seen_ = 0;  // bit i: next_ - 1 - i came
};
static_assert(sizeof(SequenceTracker) == 16);

}  // namespace wirelay::relaygen
