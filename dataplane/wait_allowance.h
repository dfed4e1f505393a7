// How many packets a worker hands to the control thread to wait there, for a session or for a
// neighbour: few in each part of a second, so that they crowd out neither handshakes nor the
// thread's other work, and fewer for one destination, so that none uses up what all may.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wirelay::dataplane {

/// Owned by one worker; each reason to wait has its own.
class WaitAllowance {
 public:
  static constexpr unsigned kMost = 64;        // packets in each period
  static constexpr unsigned kMostForOne = 16;  // of these to one destination
  static constexpr uint64_t kPeriodsPerSecond = 100;

  explicit WaitAllowance(uint64_t tsc_hz) noexcept : period_(tsc_hz / kPeriodsPerSecond) {}

  /// True when a packet to `destination`, any number that tells destinations apart, may wait; then
  /// it is taken into account. Two destinations at one place of the table share its allowance.
  bool take(uint64_t now, uint64_t destination) noexcept {
    if (now - begin_ >= period_) {
      begin_ = now;
      taken_ = 0;
      taken_for_.fill(0);
    }
    uint8_t& taken_for = taken_for_[destination * kSpread >> (64 - kPlaceBits)];
    if (taken_ == kMost || taken_for == kMostForOne) return false;
    ++taken_;
    ++taken_for;
    return true;
  }

 private:
  static constexpr unsigned kPlaceBits = 8;
  static constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

  const uint64_t period_;  // in TSC
  uint64_t begin_ = 0;     // of the present period, TSC
  unsigned taken_ = 0;     // within it
  std::array<uint8_t, size_t{1} << kPlaceBits> taken_for_{};
};

}  // namespace wirelay::dataplane
