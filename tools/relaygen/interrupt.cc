// Keeping a signal.
#include "tools/relaygen/interrupt.h"

#include <csignal>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

volatile std::sig_atomic_t caught = 0;

void keep(int signal) { caught = signal; }

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = keep;
  action.sa_flags = SA_RESETHAND;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

bool interrupted() noexcept { return caught != 0; }

void stop_if_interrupted() {
  if (interrupted()) throw Failure("interrupted", static_cast<ExitCode>(128 + caught));
}

}  // namespace wirelay::relaygen
