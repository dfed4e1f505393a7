// What users carried, in steps of time: short ones for the last days, longer ones for longer.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ctrl/store/database.h"
#include "ctrl/users/life.h"

namespace wirelay::ctrl {

struct HistorySteps {
  uint32_t seconds;  // of each; they begin at multiples of it, in Unix time
  uint32_t kept;     // seconds after its begin when a step is forgotten
};
inline constexpr uint32_t kShortStep = 300, kHourStep = 3600, kDayStep = 86400;
/// The shortest first.
inline constexpr std::array kHistorySteps = {
    HistorySteps{kShortStep, 2 * kDayStep},
    HistorySteps{kHourStep, 60 * kDayStep},
    HistorySteps{kDayStep, 730 * kDayStep},
};

/// When the step of `seconds` began that `moment` lies in; both in Unix seconds.
constexpr uint64_t step_begin(uint64_t moment, uint32_t seconds) {
  return moment - moment % seconds;
}

/// Statements upon the table "history". Internal to ctrl/store.
class HistoryRows {
 public:
  explicit HistoryRows(Database& database);
  /// Adds one of the shortest steps to what there is of each length. Within the transaction that
  /// says that the step is over, so that it is added once.
  void add(uint64_t user, const UsageStep& step);
  /// The user is gone: its steps are forgotten in time.
  void remove(uint64_t user);
  /// It is there again after all.
  void keep(uint64_t user);
  /// Forgets some of what is older than it is kept at `now` (Unix seconds), and the steps of a few
  /// users that are gone: some ten milliseconds of work. Called with each piece of usage, it keeps
  /// up with what comes.
  void prune(uint64_t now);

  /// The steps of `seconds` (of kHistorySteps) that begin from `since` to before `until`, in order;
  /// those in which the user carried nothing are not there.
  static std::vector<UsageStep> read(const Database& database, uint64_t user, uint32_t seconds,
                                     uint64_t since, uint64_t until);

 private:
  void forget(uint64_t user, uint64_t now);

  Statement add_, forget_old_, forget_step_, remove_, next_gone_, forgotten_;
};

}  // namespace wirelay::ctrl
