// Where periods begin and end: at midnight in a time zone, so many days, a week or a month apart.
#pragma once

#include <cstdint>

#include "ctrl/base/period.h"
#include "ctrl/base/time_zone.h"

namespace wirelay::ctrl {

struct PeriodRule {
  uint64_t length = kNoPeriod;  // ctrl/base/period.h
  uint64_t since = 0;           // days since 1970: one of these begins a period. 0: months begin on
                                // their first day, weeks on Monday
  uint64_t zone = kUtc;         // ctrl/base/time_zone.h
  bool operator==(const PeriodRule&) const = default;
};

/// Seconds since 1970; `end` belongs to the next one.
struct Period {
  uint64_t begin, end;
};

/// The period that holds `seconds` (since 1970). Its end is always later, though clocks that are
/// set back over midnight may have it begin later, too. A month without the day has its last
/// instead: periods that begin on the 31st begin on the 28th of February. Of a rule with a length.
Period period_at(const PeriodRule& rule, uint64_t seconds);

/// The date there, in days since 1970.
uint64_t local_date(uint64_t zone, uint64_t seconds);

}  // namespace wirelay::ctrl
