// What a relay gives up once it serves: all that only its start needed.
#pragma once

#include "ctrl/config/config.h"

namespace wirelay::ctrl {

/// Keeps memory out of the swap, gives up capabilities and system calls, for all threads; logs what
/// is left, and a warning of what is in the way. Control thread, once, when all has started.
void harden(const Config& config);

}  // namespace wirelay::ctrl
