// relayctl as a function, so that tests can run it in their own process.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace wirelay::cli {

enum ExitCode : int { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3 };

struct Streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

/// Runs one command; `words` are the program's arguments without its name. Never throws.
int run(const std::vector<std::string>& words, const Streams& streams);

}  // namespace wirelay::cli
