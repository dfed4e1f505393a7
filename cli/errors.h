// How a command fails; run() turns each into its exit code.
#pragma once

#include <stdexcept>
#include <string>

#include <json/value.h>

namespace wirelay::cli {

/// The command line is wrong. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// It cannot be done as asked: a file, a key. Exit code 1.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The relay refused it. Exit code 1.
class RelayRefused : public Failure {
 public:
  /// `error`: of the reply, {"code", "message", "data"}. `note`: what was done before, or "".
  explicit RelayRefused(Json::Value error, std::string note = {});
  Json::Value error;
  std::string note;
};

/// No relay answers. Exit code 3.
class Unreachable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What to say of a reply in which a value is of another type than it should be.
std::string strange_reply(const Json::Exception& error);

}  // namespace wirelay::cli
