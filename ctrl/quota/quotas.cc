// Periods that end, and warnings.
#include "ctrl/quota/quotas.h"

#include <algorithm>

namespace wirelay::ctrl {

using dataplane::QuotaCounts;
using dataplane::QuotaLimits;
using dataplane::QuotaUse;
using dataplane::Uint128;

namespace {

/// Looks at users in one tick, at most: what a stall leaves behind is made up for by the next ones.
constexpr size_t kLooksAtOnce = 2'000;

PeriodRule rule_of(const UserSpec& user) {
  using F = UserField;
  return {user.values[F::kQuotaPeriod], user.values[F::kQuotaSince], user.values[F::kQuotaZone]};
}

/// What counts most of what was used.
uint64_t counted(const QuotaUse& used, QuotaCounts counts) {
  switch (counts) {
    case QuotaCounts::kUp:
      return used.up;
    case QuotaCounts::kDown:
      return used.down;
    case QuotaCounts::kEach:
      return std::max(used.up, used.down);
    case QuotaCounts::kBoth:
      break;
  }
  return used.up + used.down;
}

uint8_t percentage(uint64_t used, uint64_t of) {
  return static_cast<uint8_t>(std::min<Uint128>(Uint128{used} * 100 / of, 100));
}

/// The last of kWarnedAt that was reached; 0: none.
uint8_t reached(const QuotaUse& used, const QuotaLimits& quota) {
  const uint8_t percent = percentage(counted(used, quota.counts), quota.bytes);
  uint8_t last = 0;
  for (const uint8_t one : kWarnedAt) {
    if (one <= percent) last = one;
  }
  return last;
}

}  // namespace

void Quotas::add(uint32_t number, const UserPtr& user) {
  const QuotaLimits quota = user->quota();
  if (quota.bytes == dataplane::kUnlimited) return;
  users_.take_use(number);
  users_.set_quota(number, quota, users_.time(now_.tsc));
  Entry& entry = entries_[number];
  entry.user = user;
  entry.place = watched_.size();
  watched_.push_back(number);
  enter(number, entry);
}

void Quotas::change(uint32_t number, const UserPtr& user) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return add(number, user);
  const QuotaLimits quota = user->quota();
  users_.set_quota(number, quota, users_.time(now_.tsc));
  if (quota.bytes == dataplane::kUnlimited) return remove(number);
  Entry& entry = found->second;
  const bool other_rule = rule_of(*entry.user) != rule_of(*user);
  entry.user = user;
  if (other_rule) enter(number, entry);
  entry.warned = std::min(entry.warned, reached(users_.quota(number).use(), quota));
}

void Quotas::remove(uint32_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  ends_.erase({entry.period.end, number});
  entries_.at(watched_.back()).place = entry.place;
  watched_[entry.place] = watched_.back();
  watched_.pop_back();
  entries_.erase(found);
}

bool Quotas::reset(uint32_t number) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return false;
  begin_anew(number, found->second);
  return true;
}

/// The period of now. One of days that nobody has given a first day begins today.
void Quotas::enter(uint32_t number, Entry& entry) {
  entry.rule = rule_of(*entry.user);
  if (entry.rule.since == 0 && entry.rule.length <= kMostDays) {
    entry.rule.since = local_date(entry.rule.zone, seconds());
  }
  set_period(number, entry, period_now(entry.rule, seconds()));
}

void Quotas::set_period(uint32_t number, Entry& entry, const Period& period) {
  auto node = ends_.extract({entry.period.end, number});
  entry.period = period;
  if (period.end == kNever) return;
  if (node.empty()) {
    ends_.emplace(period.end, number);
  } else {
    node.value().first = period.end;
    ends_.insert(std::move(node));
  }
}

void Quotas::begin_anew(uint32_t number, Entry& entry) {
  set_period(number, entry, period_now(entry.rule, seconds()));
  users_.take_use(number);
  entry.warned = 0;
}

/// Whose periods end together mostly have the next one together, too.
Period Quotas::period_now(const PeriodRule& rule, uint64_t at) {
  if (rule.length == kNoPeriod) return {at, kNever};
  const bool same = rule == last_rule_ && last_period_.begin <= at && at < last_period_.end;
  if (!same) {
    last_rule_ = rule;
    last_period_ = period_at(rule, at);
  }
  return last_period_;
}

std::optional<QuotaState> Quotas::state(uint32_t number) const {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return std::nullopt;
  const Entry& entry = found->second;
  return QuotaState{entry.period.begin, users_.quota(number).use(), entry.warned};
}

void Quotas::restore(uint32_t number, const QuotaState& state) {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (rule_of(*entry.user).since == 0 && entry.rule.length <= kMostDays) {
    entry.rule.since = local_date(entry.rule.zone, state.begin);
  }
  Period period = period_now(entry.rule, std::max(state.begin, seconds()));
  if (period.begin > state.begin && entry.rule.length != kNoPeriod) {
    set_period(number, entry, period);  // that one is over
    return;
  }
  period.begin = state.begin;
  set_period(number, entry, period);
  users_.add_use(number, state.used);
  entry.warned = std::min(state.warned, reached(users_.quota(number).use(), entry.user->quota()));
}

std::optional<QuotaStatus> Quotas::status(uint32_t number) const {
  const auto found = entries_.find(number);
  if (found == entries_.end()) return std::nullopt;
  const Entry& entry = found->second;
  const QuotaLimits quota = entry.user->quota();
  const QuotaUse used = users_.quota(number).use();
  const uint64_t taken = counted(used, quota.counts);
  return QuotaStatus{.used = used,
                     .left = quota.bytes - std::min(quota.bytes, taken),
                     .period_end = entry.period.end == kNever ? 0 : entry.period.end,
                     .over = taken >= quota.bytes};
}

bool Quotas::tick(const Now& now, const Slice& slice) {
  const uint64_t elapsed = std::min(now.ns - now_.ns, kNsPerSecond);
  now_ = now;
  while (!ends_.empty() && ends_.begin()->first <= seconds()) {
    const uint32_t number = ends_.begin()->second;
    begin_anew(number, entries_.at(number));
    if (slice.over()) return false;
  }
  owed_ = std::min(owed_ + elapsed * watched_.size(), kNsPerSecond * watched_.size());
  const size_t looks = std::min<size_t>(owed_ / kNsPerSecond, kLooksAtOnce);
  owed_ -= looks * kNsPerSecond;
  for (size_t i = 0; i < looks; ++i) {
    if (position_ >= watched_.size()) position_ = 0;
    const uint32_t number = watched_[position_++];
    check(number, entries_.at(number));
  }
  return true;
}

void Quotas::check(uint32_t number, Entry& entry) {
  const uint8_t last = reached(users_.quota(number).use(), entry.user->quota());
  if (last <= entry.warned) return;
  entry.warned = last;
  on_warning(*entry.user, last, counted(users_.quota(number).use(), entry.user->quota().counts));
}

}  // namespace wirelay::ctrl
