// Ctrl-C and SIGTERM: what is under way ends soon, and what has been found until then is told.
#pragma once

namespace wirelay::relaygen {

/// From now on the first such signal is kept for interrupted(); a second one ends the process.
void catch_interrupts();

/// Whether a signal has come. Loops that may take long ask now and then.
[[nodiscard]] bool interrupted() noexcept;

/// Throws Failure when a signal has come, with 128 plus its number as exit code.
void stop_if_interrupted();

}  // namespace wirelay::relaygen
