// Reads the fields of one JSON object: every value is checked, every problem noted with its path,
// and in the end fields that nobody asked for are named.
//
//   ObjectReader port(value, "ports[1]", problems);
//   if (auto mtu = port.number("mtu", 576, 9000)) config.mtu = *mtu;
//   port.finish();
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <json/value.h>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl {

class ObjectReader {
 public:
  /// `value`, what `place` is made of, `problems`, and the names of fields that are asked for
  /// outlive the reader. A value that is no object is noted, and then nothing is found in it. An
  /// empty place stands for the whole text.
  ObjectReader(const Json::Value& value, const Place& place, std::vector<Problem>& problems);

  [[nodiscard]] const Place& place() const noexcept { return place_; }

  // Each returns nothing when the field is absent, or wrong, and then notes why. -----------------
  std::optional<std::string> text(std::string_view name);
  std::optional<uint64_t> number(std::string_view name, uint64_t least, uint64_t most);
  std::optional<bool> boolean(std::string_view name);
  /// The place of the text that is found in `words`.
  std::optional<size_t> choice(std::string_view name, std::span<const std::string_view> words);
  std::optional<size_t> choice(std::string_view name,
                               std::initializer_list<std::string_view> words) {
    return choice(name, std::span(words.begin(), words.size()));
  }
  const Json::Value* object(std::string_view name);
  const Json::Value* list(std::string_view name);
  std::vector<std::string> texts(std::string_view name);  // a list of texts; those that are
  /// Any value, unchecked.
  const Json::Value* any(std::string_view name);

  /// Notes that `name` must be there when it is not; true when it is.
  bool require(std::string_view name, std::string_view expected);
  /// Notes one unless there are enough().
  void problem(std::string_view name, std::string message);

  /// True when no more problems are looked for.
  [[nodiscard]] bool enough() const noexcept { return ctrl::enough(problems_); }

  /// Notes fields that were not asked for, each with the known one that looks most like it.
  void finish();

 private:
  [[nodiscard]] std::span<const std::string_view> known() const noexcept {
    return {known_.data(), known_.size()};
  }
  void unknown(const std::string& name);

  const Json::Value& value_;
  const Place place_;
  std::vector<Problem>& problems_;
  boost::container::small_vector<std::string_view, 16> known_;  // what was asked for
  size_t present_ = 0;                                          // of these, in the object
};

/// A value as a message tells it: "\"text\"" (shortened, control characters escaped), "99", "a
/// list".
std::string describe(const Json::Value& value);
std::string in_quotes(std::string_view text);

/// "found 99, expected a whole number from 1 to 9"
std::string expected(const Json::Value& found, std::string_view what);

}  // namespace wirelay::ctrl
