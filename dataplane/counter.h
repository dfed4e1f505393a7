// A counter of one thread that others read.
#pragma once

#include <atomic>
#include <cstdint>

namespace wirelay::dataplane {

/// A counter with one writer: no read-modify-write instruction is needed.
class Counter {
 public:
  void add(uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace wirelay::dataplane
