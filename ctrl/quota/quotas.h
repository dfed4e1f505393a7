// Quotas of users over time: when their periods end and what they have used begins anew, and when
// it is time to warn. What passes is counted and held up by workers (dataplane/tables/user.h).
// Control thread only.
//
// Periods go by the wall clock. A period begins once: where the clock is set back, what is used
// stays used until the period that it had come to is over.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ctrl/base/now.h"
#include "ctrl/host/slice.h"
#include "ctrl/quota/calendar.h"
#include "ctrl/users/change.h"
#include "ctrl/users/life.h"
#include "dataplane/tables/user.h"

namespace wirelay::ctrl {

/// When somebody is to hear of it, in percent of the quota.
inline constexpr std::array<uint8_t, 3> kWarnedAt = {80, 95, 100};

struct QuotaStatus {
  dataplane::QuotaUse used;
  uint64_t left = 0;        // bytes; where ways count for themselves, of the one that has less
  uint64_t period_end = 0;  // seconds since 1970; 0: never
  bool over = false;        // nothing is left of what counts, or of one way of it
};

class Quotas {
 public:
  /// Capacity as of `users`, which outlives it.
  explicit Quotas(dataplane::UserTable& users) : users_(users) {}

  /// Is told when a user has come to one of kWarnedAt since its period began, once for each: `used`
  /// of its bytes is what counts.
  std::function<void(const UserSpec& user, unsigned percent, uint64_t used)> on_warning =
      [](const UserSpec&, unsigned, uint64_t) {};

  // By the user's number in the tables. ---------------------------------------------------------
  /// Of a new user.
  void add(uint32_t number, const UserPtr& user);
  /// What was used stays used while the user has a quota, whatever else of it changes.
  void change(uint32_t number, const UserPtr& user);
  void remove(uint32_t number);
  /// Has the present period begin anew; false for a user without a quota.
  bool reset(uint32_t number);

  /// nullopt for a user without a quota.
  [[nodiscard]] std::optional<QuotaState> state(uint32_t number) const;
  /// Goes on with what a process before had, behind add(). A period that has ended since is over.
  void restore(uint32_t number, const QuotaState& state);
  [[nodiscard]] std::optional<QuotaStatus> status(uint32_t number) const;

  /// Call every 10 ms or so, before anything else first. Every user is looked at once a second.
  /// False when the slice was over before all was done.
  bool tick(const Now& now, const Slice& slice);

 private:
  struct Entry {
    UserPtr user;
    PeriodRule rule;
    Period period{};
    uint8_t warned = 0;
    size_t place = 0;  // in watched_
  };
  static constexpr uint64_t kNever = UINT64_MAX;

  void enter(uint32_t number, Entry& entry);
  void set_period(uint32_t number, Entry& entry, const Period& period);
  void begin_anew(uint32_t number, Entry& entry);
  void check(uint32_t number, Entry& entry);
  [[nodiscard]] Period period_now(const PeriodRule& rule, uint64_t seconds);
  [[nodiscard]] uint64_t seconds() const noexcept { return now_.unix_ns / kNsPerSecond; }

  dataplane::UserTable& users_;
  Now now_;
  std::unordered_map<uint32_t, Entry> entries_;
  std::set<std::pair<uint64_t, uint32_t>> ends_;  // of periods, with their users' numbers
  std::vector<uint32_t> watched_;                 // all of entries_
  size_t position_ = 0;                           // in watched_: whom to look at next
  uint64_t owed_ = 0;                             // looks, times a second in ns
  PeriodRule last_rule_;                          // of whom period_now() was asked last
  Period last_period_{};
};

}  // namespace wirelay::ctrl
