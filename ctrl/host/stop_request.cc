// A flag that a signal handler sets.
#include "ctrl/host/stop_request.h"

#include <atomic>
#include <csignal>

namespace wirelay::ctrl {

namespace {

std::atomic<bool> requested{false};  // written by the signal handler
static_assert(std::atomic<bool>::is_always_lock_free);

/// Async-signal-safe. Neither signal interrupts the handling of the other.
void set_handlers(void (*handler)(int)) noexcept {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&action.sa_mask, signal);
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

extern "C" void on_stop_signal(int) {
  requested.store(true, std::memory_order_relaxed);
  // A step of the start that hangs, in a driver say, never asks for the flag: the next one kills.
  set_handlers(SIG_DFL);
}

}  // namespace

void note_stop_signals() { set_handlers(on_stop_signal); }

bool stop_requested() noexcept { return requested.load(std::memory_order_relaxed); }

void stop_if_requested() {
  if (stop_requested()) throw StopRequest("stopped by a signal while it started");
}

}  // namespace wirelay::ctrl
