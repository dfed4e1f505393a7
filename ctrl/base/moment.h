// Moments and dates as texts: RFC 3339, "2027-01-31T12:00:00Z" and "2027-01-31".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wirelay::ctrl {

// From the year 2000 to the end of 9999.
inline constexpr uint64_t kLeastMoment = 946'684'800, kMostMoment = 253'402'300'799;
inline constexpr uint64_t kLeastDate = kLeastMoment / 86'400, kMostDate = kMostMoment / 86'400;

/// Seconds since 1970 in UTC. A date stands for its first moment, in UTC; parts of a second are
/// left out. nullopt when it is no moment, or not of those years.
std::optional<uint64_t> parse_moment(std::string_view text);
/// In UTC.
std::string moment_text(uint64_t seconds);

/// Days since 1970-01-01. nullopt when there is no such day.
std::optional<uint64_t> parse_date(std::string_view text);
std::string date_text(uint64_t days);

}  // namespace wirelay::ctrl
