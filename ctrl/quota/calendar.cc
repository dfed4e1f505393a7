// Periods are counted in days of the local calendar; midnight is looked up in the zone last.
#include "ctrl/quota/calendar.h"

#include <algorithm>
#include <chrono>

#include <date/tz.h>

namespace wirelay::ctrl {

namespace {

constexpr int64_t kMonday = 4;  // 1970-01-05

date::local_days local_day(uint64_t zone, uint64_t unix_seconds) {
  const date::sys_seconds time(std::chrono::seconds(static_cast<int64_t>(unix_seconds)));
  if (zone == kUtc) return date::local_days(date::floor<date::days>(time).time_since_epoch());
  return date::floor<date::days>(zone_of(zone).to_local(time));
}

/// Where clocks show midnight twice, the later one: no moment before it is of the next day. Where
/// they skip it, the moment at which they do.
uint64_t midnight(uint64_t zone, date::local_days day) {
  if (zone == kUtc) {
    return static_cast<uint64_t>(std::chrono::seconds(day.time_since_epoch()).count());
  }
  const auto time = zone_of(zone).to_sys(day, date::choose::latest);
  return static_cast<uint64_t>(date::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

/// The first day of the period that begins in this month.
date::local_days in_month(const date::year_month& month, date::day day) {
  const date::day last = (month / date::last).day();
  return date::local_days(month / std::min(day, last));
}

struct Days {
  date::local_days begin, end;
};

Days month_around(date::local_days day, uint64_t since) {
  const date::day first =
      since == 0
          ? date::day(1)
          : date::year_month_day(date::local_days(date::days(static_cast<int>(since)))).day();
  const date::year_month_day today(day);
  date::year_month month = today.year() / today.month();
  if (in_month(month, first) > day) month -= date::months(1);
  return {in_month(month, first), in_month(month + date::months(1), first)};
}

Days days_around(date::local_days day, int64_t since, int64_t length) {
  const int64_t passed = day.time_since_epoch().count() - since;
  const int64_t into = (passed % length + length) % length;
  const date::local_days begin = day - date::days(static_cast<int>(into));
  return {begin, begin + date::days(static_cast<int>(length))};
}

Days around(const PeriodRule& rule, date::local_days day) {
  const auto since = static_cast<int64_t>(rule.since);
  if (rule.length == kMonth) return month_around(day, rule.since);
  if (rule.length == kWeek) return days_around(day, since == 0 ? kMonday : since, 7);
  return days_around(day, since, static_cast<int64_t>(rule.length));
}

}  // namespace

Period period_at(const PeriodRule& rule, uint64_t seconds) {
  const Days found = around(rule, local_day(rule.zone, seconds));
  return {midnight(rule.zone, found.begin), midnight(rule.zone, found.end)};
}

uint64_t local_date(uint64_t zone, uint64_t seconds) {
  return static_cast<uint64_t>(local_day(zone, seconds).time_since_epoch().count());
}

}  // namespace wirelay::ctrl
