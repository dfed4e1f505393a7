// How relaygen ends: its exit codes, and the errors that lead to them.
#pragma once

#include <stdexcept>
#include <string>

namespace wirelay::relaygen {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,     // a device, a file, or memory
  kUsage = 2,      // the command line
  kNoAnswer = 3,   // the far end does not answer, or nothing comes out of it
  kBadTraffic = 4  // what came out was corrupt, or more was lost than --max-loss allows
  // 128 plus its number: a signal
};

/// Ends the program with one line, what(), on standard error.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& text, ExitCode code = kFailed)
      : std::runtime_error(text), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// The command line is wrong: the text names the option and what it should be.
class UsageError : public Failure {
 public:
  explicit UsageError(const std::string& text) : Failure(text, kUsage) {}
};

}  // namespace wirelay::relaygen
