// A flag that a signal handler sets.
#include "ctrl/stop_request.h"

#include <atomic>
#include <csignal>

namespace wirelay::ctrl {

namespace {

std::atomic<bool> requested{false};  // written by the signal handler
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop_signal(int) { requested.store(true, std::memory_order_relaxed); }

}  // namespace

void note_stop_signals() {
  for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, on_stop_signal);
}

bool stop_requested() noexcept { return requested.load(std::memory_order_relaxed); }

void stop_if_requested() {
  if (stop_requested()) throw StopRequest("stopped by a signal while it started");
}

}  // namespace wirelay::ctrl
