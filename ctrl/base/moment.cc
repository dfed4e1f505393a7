// Reading is strict about the form and the calendar: a day that no month has is no date.
#include "ctrl/base/moment.h"

#include <chrono>

#include <date/date.h>
#include <fmt/core.h>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kDaySeconds = 86'400;

/// Takes `digits` digits off the front.
std::optional<unsigned> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  unsigned number = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(text[i] - '0');
  }
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<uint64_t> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const date::year_month_day date(date::year(static_cast<int>(*year)), date::month(*month),
                                  date::day(*day));
  const auto days = date.ok() ? date::sys_days(date).time_since_epoch().count() : 0;
  if (days < static_cast<int64_t>(kLeastDate)) return std::nullopt;
  return static_cast<uint64_t>(days);
}

/// "12:00" as seconds.
std::optional<int64_t> take_hours_and_minutes(std::string_view& text) {
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23 || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return int64_t{*hours} * 3600 + int64_t{*minutes} * 60;
}

/// "12:00:00", and ".5", which is left out. A leap second is the one before it.
std::optional<int64_t> take_time(std::string_view& text) {
  const auto minutes = take_hours_and_minutes(text);
  if (!minutes || !take(text, ":")) return std::nullopt;
  const auto seconds = take_number(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;
  if (take(text, ".")) {
    if (!take_number(text, 1)) return std::nullopt;
    while (take_number(text, 1)) continue;
  }
  return *minutes + (*seconds == 60 ? 59 : *seconds);
}

/// "Z" or "+01:00", as what is to be taken off.
std::optional<int64_t> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0;
  const bool east = text.starts_with('+');
  if (!take(text, "+-")) return std::nullopt;
  const auto offset = take_hours_and_minutes(text);
  if (!offset) return std::nullopt;
  return east ? *offset : -*offset;
}

date::year_month_day day_of(uint64_t days) {
  return date::sys_days(date::days(static_cast<int>(days)));
}

}  // namespace

std::optional<uint64_t> parse_moment(std::string_view text) {
  const auto days = take_date(text);
  if (!days) return std::nullopt;
  if (text.empty()) return *days * kDaySeconds;
  if (!take(text, "Tt ")) return std::nullopt;
  const auto time = take_time(text);
  const auto offset = time ? take_offset(text) : std::nullopt;
  if (!offset || !text.empty()) return std::nullopt;
  const int64_t seconds = static_cast<int64_t>(*days * kDaySeconds) + *time - *offset;
  if (seconds < static_cast<int64_t>(kLeastMoment)) return std::nullopt;
  return static_cast<uint64_t>(seconds);
}

std::string moment_text(uint64_t seconds) {
  const uint64_t time = seconds % kDaySeconds;
  return fmt::format("{}T{:02}:{:02}:{:02}Z", date_text(seconds / kDaySeconds), time / 3600,
                     time / 60 % 60, time % 60);
}

std::optional<uint64_t> parse_date(std::string_view text) {
  const auto days = take_date(text);
  return text.empty() ? days : std::nullopt;
}

std::string date_text(uint64_t days) {
  const date::year_month_day day = day_of(days);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
}

}  // namespace wirelay::ctrl
