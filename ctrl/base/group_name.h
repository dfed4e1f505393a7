// Names of groups of users as numbers: a name of up to 12 characters fits into 63 bits, so that a
// group needs no list, and workers compare numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

inline constexpr size_t kGroupChars = 12;
/// One above the largest digit: 26 letters, 10 digits, a dash; 0 ends a name.
inline constexpr uint64_t kGroupBase = 38;
/// The number of the last name.
inline constexpr uint64_t kMostGroup = [] {
  uint64_t power = 1;
  for (size_t i = 0; i < kGroupChars; ++i) power *= kGroupBase;
  return power - 1;
}();

/// Never 0; nothing when it is no such name.
std::optional<uint64_t> parse_group(std::string_view text);
/// "" for 0.
std::string group_text(uint64_t group);

}  // namespace wirelay::ctrl
