// Threads beside workers and control: where they run, and how much they give way. A thread begins
// where the one runs that made it, and that would be the control thread's core.
#pragma once

#include <vector>

#include "ctrl/config/config.h"

namespace wirelay::ctrl {

/// The cores out of `allowed` that `config` leaves to them: those of no worker and not the control
/// thread's; where there are none, the control thread's and those of workers that sleep.
std::vector<unsigned> side_cores(const Config& config, const std::vector<unsigned>& allowed);

/// The cores that this process may run on.
std::vector<unsigned> allowed_cores();

/// From now on threads that become side threads run on these. Before any of them begins.
void set_side_cores(const std::vector<unsigned>& cores);

/// The calling thread is called `name` (at most 15 bytes), runs on the side cores, and gives way
/// as setpriority(2) has it with `nice`. What the machine refuses of it is let be.
void become_side_thread(const char* name, int nice) noexcept;

}  // namespace wirelay::ctrl
