// A small generator of pseudo-random numbers: the same traffic for the same seed, on any machine.
#pragma once

#include <cstdint>

namespace wirelay::relaygen {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class Random {
 public:
  explicit Random(uint64_t seed) noexcept : state_(seed) {}

  uint64_t next() noexcept {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  /// Uniform in [0, 1), 53 bits of it.
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

  /// Uniform in [0, bound), bound > 0; the bias is below bound / 2^64.
  uint32_t below(uint32_t bound) noexcept {
    return static_cast<uint32_t>((next() >> 32) * bound >> 32);
  }

 private:
  uint64_t state_;
};

}  // namespace wirelay::relaygen
