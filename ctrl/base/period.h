// How long a quota's period is, as a number: so many days, a week or a month of the calendar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

inline constexpr uint64_t kNoPeriod = 0;    // it never ends
inline constexpr uint64_t kMostDays = 366;  // 1 to so many: days
inline constexpr uint64_t kWeek = 1001, kMonth = 1002;

/// "day", "week", "month", "30d", "30 days". nullopt when it is no period.
std::optional<uint64_t> parse_period(std::string_view text);
std::string period_text(uint64_t period);

}  // namespace wirelay::ctrl
