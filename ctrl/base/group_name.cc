// Characters of a name as the digits of a number, the first one last.
#include "ctrl/base/group_name.h"

namespace wirelay::ctrl {

namespace {

constexpr std::string_view kGroupLetters = "abcdefghijklmnopqrstuvwxyz0123456789-";
static_assert(kGroupLetters.size() + 1 == kGroupBase);

}  // namespace

std::optional<uint64_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > kGroupChars) return std::nullopt;
  uint64_t group = 0;
  while (!text.empty()) {
    const size_t digit = kGroupLetters.find(text.back());
    if (digit == std::string_view::npos) return std::nullopt;
    group = group * kGroupBase + digit + 1;
    text.remove_suffix(1);
  }
  return group;
}

std::string group_text(uint64_t group) {
  std::string text;
  for (; group != 0; group /= kGroupBase) text += kGroupLetters[group % kGroupBase - 1];
  return text;
}

}  // namespace wirelay::ctrl
