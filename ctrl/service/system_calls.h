// Which system calls the relay may make once it serves (seccomp(2)): a list for workers, which
// barely make any, and a longer one for all other threads. Any other call ends the relay with a
// line that names it.
#pragma once

#include <string>

#include "ctrl/config/config.h"

namespace wirelay::ctrl {

/// Narrows all threads of the process, for good; workers are those that run on an lcore. Drivers of
/// `config` that need more while they run or end have it. Returns what is in the way; empty:
/// nothing. Control thread, once, without CAP_SYS_ADMIN only behind no_new_privs.
std::string restrict_system_calls(const Config& config);

/// False for builds with sanitizers, which make calls of their own.
bool can_restrict_system_calls() noexcept;

}  // namespace wirelay::ctrl
