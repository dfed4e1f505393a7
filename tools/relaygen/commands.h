// The commands that need ports and clients: all but peers.
#pragma once

#include "tools/relaygen/options.h"

namespace wirelay::relaygen {

/// Does the command, prints its table, and writes its JSON. Returns the exit code; throws Failure.
int run_on_rig(const Options& options);

}  // namespace wirelay::relaygen
