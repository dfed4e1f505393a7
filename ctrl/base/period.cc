// Periods, read and written.
#include "ctrl/base/period.h"

#include <charconv>

#include <fmt/core.h>

namespace wirelay::ctrl {

std::optional<uint64_t> parse_period(std::string_view text) {
  if (text == "day") return 1;
  if (text == "week") return kWeek;
  if (text == "month") return kMonth;
  uint64_t days = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, days);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (error != std::errc() || days == 0 || days > kMostDays) return std::nullopt;
  if (unit != "d" && unit != " days" && !(days == 1 && unit == " day")) return std::nullopt;
  return days;
}

std::string period_text(uint64_t period) {
  if (period == kWeek) return "week";
  if (period == kMonth) return "month";
  return period == 1 ? "day" : fmt::format("{}d", period);
}

}  // namespace wirelay::ctrl
