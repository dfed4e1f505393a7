// What workers count, described for replies and documents. Written by the workers, each its own
// (dataplane/counters.h); the control side reads.
#pragma once

#include <array>
#include <cstddef>

#include "ctrl/base/counter_field.h"
#include "dataplane/counters.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::ctrl {

inline constexpr std::array kWorkerCounters = [] {
  using C = dataplane::WorkerCounters;
  return std::array{
      CounterField{"polls", "looks at the ports and rings", &C::polls},
      CounterField{"empty_polls", "of these, such that found nothing", &C::empty_polls},
      CounterField{"sleeps", "naps of an idle worker (adaptive polling)", &C::sleeps},
      CounterField{"rx_packets", "packets taken from ports", &C::rx_packets},
      CounterField{"tx_packets", "packets given to ports", &C::tx_packets},
      CounterField{"punted", "packets handed to the control thread", &C::punted},
      CounterField{"handed_off", "packets handed to other workers", &C::handed_off},
      CounterField{"made", "packets that it made: ICMP errors, resets, fragments", &C::made},
      CounterField{"joined", "fragments that became part of another packet", &C::joined},
      CounterField{"busy_cycles", "TSC cycles of looks that found something", &C::busy_cycles},
      CounterField{"bursts", "takings from a receive queue", &C::bursts},
      CounterField{"full_bursts", "of these, such that left more behind, perhaps: 64 packets",
                   &C::full_bursts},
      CounterField{"queue_looks", "looks at how much waits in a receive queue", &C::queue_looks},
      CounterField{"queued", "packets that waited at these, in all", &C::queued},
  };
}();
static_assert(distinct(kWorkerCounters));  // drops and stages have lists of their own

inline constexpr std::array kStageCounters = [] {
  using C = dataplane::StageCounters;
  return std::array{
      CounterField{"packets", "packets that came to the stage", &C::packets},
      CounterField{"batches", "runs of the stage that had packets", &C::batches},
      CounterField{"cycles", "TSC cycles that these took", &C::cycles},
  };
}();
static_assert(complete(kStageCounters));

/// Of users, and of peers.
inline constexpr std::array kTrafficCounters = [] {
  using C = dataplane::Traffic;
  return std::array{
      CounterField{"rx_packets", "packets from the user or peer", &C::rx_packets},
      CounterField{"rx_bytes", "bytes of these, as inner packets", &C::rx_bytes},
      CounterField{"tx_packets", "packets to the user or peer", &C::tx_packets},
      CounterField{"tx_bytes", "bytes of these, as inner packets", &C::tx_bytes},
  };
}();
static_assert(complete(kTrafficCounters));

}  // namespace wirelay::ctrl
