// The moment at which the control thread looks at the world, passed in so that tests need no clock.
#pragma once

#include <cstdint>
#include <ctime>

namespace wirelay::ctrl {

inline constexpr uint64_t kNsPerSecond = 1'000'000'000;

/// The wall clock, for threads that nobody tells the time.
inline uint64_t unix_seconds() noexcept { return static_cast<uint64_t>(std::time(nullptr)); }

/// Nanoseconds on the monotonic clock, with the TSC reading of the same moment: sessions' times
/// are in TSC, timers in nanoseconds.
struct Now {
  uint64_t ns = 0;
  uint64_t tsc = 0;
  uint64_t unix_ns = 0;  // wall clock, for TAI64N timestamps
};

}  // namespace wirelay::ctrl
