// What a worker counts. Written by that worker alone with plain relaxed stores; the control thread
// reads and sums. They outlive a reload.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/drops.h"

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

struct StageCounters {
  Counter packets;
  Counter batches;
  Counter cycles;  // TSC; a sample that stands for all batches (pipeline.cc)
};

inline constexpr size_t kMaxStages = 32;

struct alignas(64) WorkerCounters {
  std::array<Counter, kDropCount> drops;
  std::array<StageCounters, kMaxStages> stages;  // in the order of pipeline.h

  Counter polls;        // loops of the worker
  Counter empty_polls;  // that found nothing
  Counter sleeps;       // adaptive polling only
  Counter rx_packets, tx_packets;
  Counter punted, handed_off;
  Counter made;    // answers to refused packets, and fragments beyond the packet that was cut
  Counter joined;  // fragments that have become part of another packet
};

}  // namespace wirelay::dataplane
