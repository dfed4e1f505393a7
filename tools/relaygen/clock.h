// Time: the processor's time stamp counter for packets, seconds from it for everything else.
#pragma once

#include <chrono>
#include <cstdint>

#include <rte_cycles.h>

namespace wirelay::relaygen {

inline uint64_t cycles_now() noexcept { return rte_rdtsc(); }
inline double to_seconds(uint64_t cycles) noexcept {
  return static_cast<double>(cycles) / static_cast<double>(rte_get_tsc_hz());
}
inline uint64_t to_cycles(double seconds) noexcept {
  return static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
}
/// Seconds on a monotonic clock.
inline double seconds_now() noexcept { return to_seconds(cycles_now()); }
inline uint64_t whole_seconds() noexcept { return static_cast<uint64_t>(seconds_now()); }
/// Nanoseconds since 1970.
inline uint64_t unix_ns() noexcept {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace wirelay::relaygen
