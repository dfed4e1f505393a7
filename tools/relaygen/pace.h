// When each packet of an offered rate is due, in TSC cycles from the start.
#pragma once

#include <cmath>
#include <cstdint>

namespace wirelay::relaygen {

/// Packet i is due at i times the interval, so that no rounding adds up over a long run.
class Pace {
 public:
  /// `rate`: packets a second, above 0.
  Pace(double rate, uint64_t tsc_hz) noexcept : interval_(static_cast<double>(tsc_hz) / rate) {}

  /// Cycles from the start until packet `index` is due.
  [[nodiscard]] uint64_t offset(uint64_t index) const noexcept {
    return static_cast<uint64_t>(std::ceil(static_cast<double>(index) * interval_));
  }

  /// How many packets are due `elapsed` cycles after the start: the first one at once.
  [[nodiscard]] uint64_t due(uint64_t elapsed) const noexcept {
    return static_cast<uint64_t>(static_cast<double>(elapsed) / interval_) + 1;
  }

 private:
  double interval_;  // cycles a packet
};

}  // namespace wirelay::relaygen
