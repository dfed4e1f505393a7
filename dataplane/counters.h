// What a worker counts. Written by that worker alone with plain relaxed stores; the control thread
// reads and sums. They outlive a reload.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/counter.h"
#include "dataplane/drops.h"
#include "dataplane/time_histogram.h"

namespace wirelay::dataplane {

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

  Counter busy_cycles;          // TSC; polls that found something, each until the next began
  Counter bursts, full_bursts;  // taken from receive queues; of these, as many as are taken at once
  Counter queue_looks, queued;  // at receive queues; packets that waited in them then
  TimeHistogram time;           // from the begin of a poll to its end, of one poll in some
};

}  // namespace wirelay::dataplane
