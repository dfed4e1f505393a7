// The line in the log for each change that the API was asked for: who, what, and what came of it.
// No values, for keys might be among them.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "ctrl/users/change.h"

namespace wirelay::ctrl::api {

class ChangeLine {
 public:
  /// Takes the names out of `steps`: the first few.
  ChangeLine(const Caller& caller, std::string_view method, std::span<const Step> steps);

  /// Any thread. `error` as in ChangeOutcome. Of what a user is refused the first is told, and how
  /// many came after it: nobody fills the log with them.
  void log(const std::exception_ptr& error, const ChangeCounts& counts) const;
  [[nodiscard]] std::string text(const std::exception_ptr& error, const ChangeCounts& counts) const;

 private:
  const uid_t user_;
  std::string begin_;
};

}  // namespace wirelay::ctrl::api
