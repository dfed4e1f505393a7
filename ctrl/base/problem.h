// What is wrong with a configuration or a request, said so that its author can mend it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wirelay::ctrl {

/// One finding. `path` leads to the field ("users[3].limits.up.rate"); `message` says what was
/// found and what is expected.
struct Problem {
  std::string path;
  std::string message;
};

/// With so many found, readers of long lists look for no more: a request that is all wrong must not
/// cost much more than a right one.
inline constexpr size_t kMaxProblems = 100;
inline bool enough(const std::vector<Problem>& problems) noexcept {
  return problems.size() >= kMaxProblems;
}

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
std::vector<std::string> lines_of(const std::vector<Problem>& problems, size_t most = 50);

/// Where a value stands in a document, "users[3].limits": a link to the place around it, spelled
/// out only when a message names it. What it is made of outlives it.
class Place {
 public:
  Place(const char* name) : name_(name) {}         // NOLINT(google-explicit-constructor)
  Place(std::string_view name) : name_(name) {}    // NOLINT(google-explicit-constructor)
  Place(const std::string& name) : name_(name) {}  // NOLINT(google-explicit-constructor)
  Place(std::string&& name) = delete;              // it would not outlive the place
  Place(const Place& around, std::string_view field) : around_(&around), name_(field) {}
  Place(const Place& around, size_t index) : around_(&around), index_(index) {}
  Place(Place&& around, std::string_view) = delete;
  Place(Place&& around, size_t) = delete;

  [[nodiscard]] std::string text() const;

 private:
  const Place* around_ = nullptr;
  std::string_view name_;
  size_t index_ = kNone;  // within the list `around_`
  static constexpr size_t kNone = SIZE_MAX;
};

}  // namespace wirelay::ctrl
