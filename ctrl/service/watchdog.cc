// Whether workers poll, and who hears of it.
#include "ctrl/service/watchdog.h"

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

Watchdog::Watchdog(const ServiceManager& manager,
                   std::vector<const dataplane::WorkerCounters*> workers, uint64_t now_ns)
    : manager_(manager),
      step_ns_(static_cast<uint64_t>(std::chrono::nanoseconds(manager.patience()).count()) / 2),
      next_ns_(now_ns + step_ns_) {
  for (const auto* counters : workers) workers_.push_back({counters});
}

void Watchdog::tick(uint64_t now_ns) {
  if (step_ns_ == 0 || now_ns < next_ns_) return;
  next_ns_ = now_ns + step_ns_;
  if (all_turn()) manager_.tell("WATCHDOG=1");
}

bool Watchdog::all_turn() {
  bool all = true;
  for (size_t i = 0; i < workers_.size(); ++i) {
    Seen& worker = workers_[i];
    const uint64_t polls = worker.counters->polls.get();
    const bool turns = polls != worker.polls;
    worker.polls = polls;
    if (!turns && !worker.still) {
      log_error("worker {} has stood still for {:.1f} s; the service manager is told nothing more",
                i, static_cast<double>(step_ns_) / 1e9);
    }
    worker.still = !turns;
    all = all && turns;
  }
  return all;
}

}  // namespace wirelay::ctrl
