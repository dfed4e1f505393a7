// The policers: GCRA on one atomic word, and how limits become costs. And how a quota is entered.
#include "dataplane/tables/user.h"

#include <algorithm>

#include "dataplane/tables/commit_ahead.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::dataplane {

namespace {

constexpr unsigned kCostShift = 20;
/// Workers read the clock once a poll, so one may see an arrival that another has moved with a
/// later clock. Further ahead than the tolerance and this, an arrival is one of before a wrap.
constexpr uint64_t kClockSlack = kPoliceHz;
/// No bucket is deeper: a quarter of the circle (52 days).
constexpr uint64_t kMaxTolerance = uint64_t{1} << 62;

/// At most `tolerance` ahead of now. Writes in any case: whoever exchanges the word after this
/// has seen the limits that were stored before.
void cut_debt(Gcra& rate, uint64_t now, uint64_t tolerance) noexcept {
  uint64_t arrival = rate.arrival.load(kRelaxed);
  uint64_t cut;
  do {
    const uint64_t ahead = arrival - now;
    const bool future = ahead <= kMaxTolerance + kClockSlack;
    cut = future && ahead > tolerance ? now + tolerance : arrival;
  } while (!rate.arrival.compare_exchange_weak(arrival, cut, std::memory_order_acq_rel, kRelaxed));
}

/// One rate as one packet is judged by it. A rate that is unlimited neither judges nor charges.
class Charge {
 public:
  Charge(Gcra& rate, uint64_t now, uint32_t units) noexcept
      : rate_(rate),
        now_(now),
        cost_(rate.cost.load(kRelaxed)),
        tolerance_(rate.tolerance.load(kRelaxed)),
        charge_(static_cast<uint64_t>((Uint128{cost_} * units + (1u << (kCostShift - 1))) >>
                                      kCostShift)) {}

  /// Whether the packet conforms to the present state; take() then charges it.
  bool conforms() noexcept {
    if (cost_ == 0) return true;
    arrival_ = rate_.arrival.load(kRelaxed);
    ahead_ = arrival_ - now_;
    // In the past, unless limits that came meanwhile allow such a debt.
    if (ahead_ > rate_.tolerance.load(kRelaxed) + kClockSlack) ahead_ = 0;
    return ahead_ <= tolerance_ && charge_ <= tolerance_ - ahead_;
  }

  /// False when another thread has changed the state meanwhile; nothing is charged then.
  bool take() noexcept {
    if (cost_ == 0) return true;
    if (!rate_.arrival.compare_exchange_strong(arrival_, now_ + ahead_ + charge_,
                                               std::memory_order_acq_rel, kRelaxed)) {
      return false;
    }
    // New limits that came before this exchange may have cut the debt already, and this charge was
    // by the old ones: then it is cut again. Limits that come later find it.
    const uint64_t tolerance = rate_.tolerance.load(kRelaxed);
    if (tolerance != tolerance_ || rate_.cost.load(kRelaxed) != cost_) {
      cut_debt(rate_, now_, tolerance);
    }
    return true;
  }

  void give_back() noexcept {
    if (cost_ != 0) rate_.arrival.fetch_sub(charge_, std::memory_order_acq_rel);
  }

 private:
  Gcra& rate_;
  uint64_t now_;
  uint64_t cost_;
  uint64_t tolerance_;
  uint64_t charge_;
  uint64_t arrival_ = 0;
  uint64_t ahead_ = 0;
};

/// `per_second` units, `burst` of them at once.
void set_rate(Gcra& rate, uint64_t per_second, Uint128 units_in_one, uint64_t burst,
              uint64_t now) noexcept {
  if (per_second == kUnlimited) {
    rate.cost.store(0, kRelaxed);
    return;
  }
  const Uint128 time = (Uint128{kPoliceHz} << kCostShift) * units_in_one;
  const uint64_t cost =
      std::max<uint64_t>(1, static_cast<uint64_t>((time + per_second / 2) / per_second));
  const Uint128 depth = Uint128{cost} * burst >> kCostShift;
  const uint64_t tolerance = static_cast<uint64_t>(std::min<Uint128>(depth, kMaxTolerance));
  if (rate.cost.load(kRelaxed) == 0) {  // it was unlimited: nothing is owed
    rate.arrival.store(now, kRelaxed);
  }
  cut_debt(rate, now, tolerance);  // before: a debt too deep for the new limits is none of the past
  rate.tolerance.store(tolerance, kRelaxed);
  rate.cost.store(cost, kRelaxed);
  cut_debt(rate, now, tolerance);  // behind: of what was charged by the old ones in between
}

void set_direction(Policer& policer, const DirectionLimits& limits, uint64_t now) noexcept {
  const uint64_t part = limits.bits_per_second / 8 / kBurstPart;
  const uint64_t burst = limits.burst_bytes != 0 ? std::max(limits.burst_bytes, kMinBurstBytes)
                                                 : std::max<uint64_t>(part, 32 * 1024);
  set_rate(policer.bits, limits.bits_per_second, 8, burst, now);
  const uint64_t packets = std::max<uint64_t>(limits.packets_per_second / kBurstPart, 32);
  set_rate(policer.packets, limits.packets_per_second, 1, packets, now);
}

uint8_t counted(const QuotaLimits& limits) noexcept {
  if (limits.bytes == kUnlimited) return 0;
  const unsigned end = limits.throttle_bits != 0 ? kThrottled : 0;
  switch (limits.counts) {
    case QuotaCounts::kUp:
      return static_cast<uint8_t>(end | kCountedUp);
    case QuotaCounts::kDown:
      return static_cast<uint8_t>(end | kCountedDown);
    case QuotaCounts::kEach:
      return static_cast<uint8_t>(end | kCountedUp | kCountedDown);
    case QuotaCounts::kBoth:
      break;
  }
  return static_cast<uint8_t>(end | kCountedUp | kCountedDown | kCountedTogether);
}

void clear(Policer& policer, uint64_t now) noexcept {
  policer.bits.arrival.store(now, kRelaxed);
  policer.packets.arrival.store(now, kRelaxed);
}

void clear(Quota& quota, uint64_t now) noexcept {
  quota.bytes.store(0, kRelaxed);
  quota.used_up.store(0, kRelaxed);
  quota.used_down.store(0, kRelaxed);
  clear(quota.up, now);
  clear(quota.down, now);
}

}  // namespace

Police Policer::police(uint64_t now, uint32_t bytes) noexcept {
  Charge bit_charge(bits, now, bytes);
  Charge packet_charge(packets, now, 1);
  while (true) {  // again only when another thread got its packet through
    if (!bit_charge.conforms()) return Police::kOverBits;
    if (!packet_charge.conforms()) return Police::kOverPackets;
    if (!bit_charge.take()) continue;
    if (packet_charge.take()) return Police::kPass;
    bit_charge.give_back();
  }
}

UserTable::UserTable(uint32_t capacity, uint64_t tsc_hz)
    : users_(capacity),
      quotas_(capacity),
      flags_(capacity),
      groups_(capacity),
      scale_(static_cast<uint64_t>((Uint128{kPoliceHz} << 32) / tsc_hz)) {}

void UserTable::set_limits(uint32_t number, const UserLimits& limits, uint64_t now) noexcept {
  User& user = users_[number];
  set_direction(user.up, limits.up, now);
  set_direction(user.down, limits.down, now);
  const unsigned up = user.up.unlimited() ? 0 : kLimitedUp;
  const unsigned down = user.down.unlimited() ? 0 : kLimitedDown;
  set_flags(number, kLimitedUp | kLimitedDown, static_cast<uint8_t>(up | down));
}

void UserTable::set_quota(uint32_t number, const QuotaLimits& limits, uint64_t now) noexcept {
  Quota& quota = quotas_[number];
  if (limits.throttle_bits != 0) {
    const DirectionLimits rate{.bits_per_second = limits.throttle_bits};
    set_direction(quota.up, rate, now);
    set_direction(quota.down, rate, now);
  }
  // Of a quota that goes away the bytes stay: a worker may have read the flags before.
  if (limits.bytes != kUnlimited) quota.bytes.store(limits.bytes, kRelaxed);
  set_flags(number, kCountedUp | kCountedDown | kCountedTogether | kThrottled, counted(limits));
}

QuotaUse UserTable::take_use(uint32_t number) noexcept {
  Quota& quota = quotas_[number];
  return {quota.used_up.exchange(0, kRelaxed), quota.used_down.exchange(0, kRelaxed)};
}

void UserTable::add_use(uint32_t number, const QuotaUse& use) noexcept {
  quotas_[number].charge(Way::kUp, use.up);
  quotas_[number].charge(Way::kDown, use.down);
}

void UserTable::set_ended(uint32_t number, bool ended) noexcept {
  set_flags(number, kEnded, ended ? kEnded : 0);
}

void UserTable::set_flags(uint32_t number, uint8_t mask, uint8_t bits) noexcept {
  const unsigned others = flags(number) & ~unsigned{mask};
  flags_[number].store(static_cast<uint8_t>(others | bits), kRelease);
}

void UserTable::reset(uint32_t number, uint64_t now) noexcept {
  reached(users_, number);
  reached(quotas_, number);
  reached(flags_, number);
  User& user = users_[number];
  clear(user.up, now);
  clear(user.down, now);
  user.dropped_up.store(0, kRelaxed);
  user.dropped_down.store(0, kRelaxed);
  flags_[number].store(0, kRelaxed);
  if (quotas_[number].bytes.load(kRelaxed) != 0) clear(quotas_[number], now);
}

}  // namespace wirelay::dataplane
