// How long packets are in the relay: counts of packets by time, in powers of two of nanoseconds.
// Written by one worker; any thread reads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "dataplane/counter.h"

namespace wirelay::dataplane {

struct TimeHistogram {
  static constexpr size_t kBuckets = 18;
  static constexpr unsigned kFirstBits = 8;  // the first bucket is for less than 256 ns

  /// Times in bucket `i` are less than this, and no less than the bound of the one before; the last
  /// bucket has no bound but this name.
  static constexpr uint64_t bound_ns(size_t i) noexcept { return uint64_t{1} << (kFirstBits + i); }

  void add(uint64_t ns, uint64_t count) noexcept {
    const size_t bits = std::bit_width(ns);
    packets[std::min(bits - std::min<size_t>(bits, kFirstBits), kBuckets - 1)].add(count);
    sum_ns.add(ns * count);
  }

  std::array<Counter, kBuckets> packets;
  Counter sum_ns;
};

}  // namespace wirelay::dataplane
