// Signs of life for the service manager: given by the control thread, while all workers turn.
#pragma once

#include <cstdint>
#include <vector>

#include "ctrl/service/manager.h"
#include "dataplane/counters.h"

namespace wirelay::ctrl {

/// Control thread.
class Watchdog {
 public:
  /// `manager` and the workers' counters outlive this object.
  Watchdog(const ServiceManager& manager, std::vector<const dataplane::WorkerCounters*> workers,
           uint64_t now_ns);

  /// Gives a sign of life when half of the manager's patience is over since the last one, and every
  /// worker has polled since. A worker that stands still is named in the log, once.
  void tick(uint64_t now_ns);

 private:
  struct Seen {
    const dataplane::WorkerCounters* counters;
    uint64_t polls = 0;
    bool still = false;  // the log has it
  };
  bool all_turn();

  const ServiceManager& manager_;
  std::vector<Seen> workers_;
  const uint64_t step_ns_;  // 0: nobody asks
  uint64_t next_ns_;
};

}  // namespace wirelay::ctrl
