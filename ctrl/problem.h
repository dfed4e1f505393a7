// What is wrong with a configuration or a request, said so that its author can mend it.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wirelay::ctrl {

/// One finding. `path` leads to the field ("users[3].limits.up.rate"); `message` says what was
/// found and what is expected.
struct Problem {
  std::string path;
  std::string message;
};

/// Findings about one input; nothing of it was applied.
class Refused : public std::runtime_error {
 public:
  explicit Refused(std::vector<Problem> found)
      : std::runtime_error(found.empty() ? "refused"
                                         : found.front().path + ": " + found.front().message),
        problems(std::move(found)) {}
  Refused(std::string path, std::string message)
      : Refused(std::vector<Problem>{{std::move(path), std::move(message)}}) {}
  std::vector<Problem> problems;
};

/// The findings as lines "path: message", at most `most` of them and then how many more there are.
std::vector<std::string> lines_of(const Refused& refused, size_t most = 50);

}  // namespace wirelay::ctrl
