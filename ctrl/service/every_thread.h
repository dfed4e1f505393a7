// What a thread can do only for itself (give up capabilities, narrow its system calls), done by all
// threads of the process, those of libraries included.
#pragma once

#include <chrono>

namespace wirelay::ctrl {

/// Calls `act` once on each thread, the caller's included, within a signal handler of it: `act`
/// calls nothing that allocates or locks. A thread that begins meanwhile is reached too, unless its
/// maker had `act` called already and the thread has what it left. False when a thread has not
/// listened within `patience`. One caller at a time. Throws std::runtime_error when the threads
/// cannot be listed.
bool on_every_thread(void (*act)() noexcept,
                     std::chrono::milliseconds patience = std::chrono::seconds(5));

}  // namespace wirelay::ctrl
