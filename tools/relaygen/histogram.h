// Latencies in logarithmic buckets (as HdrHistogram's): exact below 128, within 1 % above.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace wirelay::relaygen {

class Histogram {
 public:
  void add(uint64_t value) noexcept {
    ++counts_[bucket(value)];
    ++total_;
    greatest_ = std::max(greatest_, value);
  }

  void add(const Histogram& other) noexcept {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    greatest_ = std::max(greatest_, other.greatest_);
  }

  [[nodiscard]] uint64_t total() const noexcept { return total_; }
  [[nodiscard]] uint64_t greatest() const noexcept { return greatest_; }  // exact

  /// The value that `share` (0 to 1) of all values do not exceed: the greatest value of the bucket
  /// in which the nearest-rank percentile lies. 0 when empty.
  [[nodiscard]] uint64_t percentile(double share) const noexcept {
    const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(total_)));
    uint64_t below = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      below += counts_[i];
      if (below >= std::max<uint64_t>(rank, 1)) return std::min(upper_end(i), greatest_);
    }
    return greatest_;
  }

 private:
  static constexpr unsigned kBits = 7;  // 128 buckets for each power of two
  static constexpr size_t kPerPower = size_t{1} << kBits;

  static size_t bucket(uint64_t value) noexcept {
    if (value < kPerPower) return value;
    const unsigned power = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return (power + 1) * kPerPower + ((value >> power) - kPerPower);
  }
  static uint64_t upper_end(size_t at) noexcept {
    if (at < kPerPower) return at;
    const size_t power = at / kPerPower - 1;
    return ((at % kPerPower + kPerPower + 1) << power) - 1;
  }

  std::array<uint64_t, (64 - kBits + 1) * kPerPower> counts_{};
  uint64_t total_ = 0, greatest_ = 0;
};

}  // namespace wirelay::relaygen
