// How long a piece of work on the control thread may take: what is not done by then waits for the
// next turn, behind packets and timers.
#pragma once

#include <chrono>

namespace wirelay::ctrl {

class Slice {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Slice(Clock::duration time) : end_(Clock::now() + time) {}

  /// Cheap enough to ask for each item of some microseconds.
  [[nodiscard]] bool over() const noexcept { return Clock::now() >= end_; }

 private:
  Clock::time_point end_;
};

}  // namespace wirelay::ctrl
