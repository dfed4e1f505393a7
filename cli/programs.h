// Other programs that relayctl runs.
#pragma once

#include <string>
#include <vector>

namespace wirelay::cli {

/// Runs a program of PATH with relayctl's own input and output and waits for it; its exit code, 128
/// + the signal that ended it, or 127 when there is no such program.
int run_program(const std::vector<std::string>& words);

}  // namespace wirelay::cli
