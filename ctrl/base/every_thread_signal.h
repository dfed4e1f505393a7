// The signal by which a process has each of its threads do something once. Threads that block
// signals leave it open.
#pragma once

#include <csignal>

namespace wirelay::ctrl {

inline int every_thread_signal() noexcept { return SIGRTMAX; }

}  // namespace wirelay::ctrl
