// police_up, police_down: the user's limits and quota, for packets from the user and to the user.
// They hold over all the user's devices and all workers together (tables/user.h). What has no way
// on, or does not fit it, is gone before: it takes nothing of a limit. What is over a limit takes
// nothing of the quota.
#include <rte_prefetch.h>

#include "dataplane/pipeline.h"
#include "dataplane/stages/quota_tab.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// What holds in one direction, and what is said of packets that it ends.
struct Rules {
  Way way;
  uint8_t limited, counted;  // flags
  Policer User::*limits;
  std::atomic<uint64_t> User::*dropped;
  Policer Quota::*throttle;
  Drop over_bits, over_packets, over_quota, over_throttle;
};
constexpr Rules kUp{Way::kUp,          kLimitedUp,       kCountedUp,    &User::up,
                    &User::dropped_up, &Quota::up,       Drop::kRateUp, Drop::kPacketRateUp,
                    Drop::kQuotaUp,    Drop::kThrottleUp};
constexpr Rules kDown{
    Way::kDown,   kLimitedDown,    kCountedDown,          &User::down,      &User::dropped_down,
    &Quota::down, Drop::kRateDown, Drop::kPacketRateDown, Drop::kQuotaDown, Drop::kThrottleDown};

/// The limits and the quotas of one burst.
template <const Rules& rules>
class Judge {
 public:
  explicit Judge(Worker& worker) noexcept
      : users_(worker.shared.users), now_(worker.police_time), tab_(users_, rules.way) {}

  /// Drop::kNone when the packet may go on; otherwise it is counted with the user.
  Drop judge(uint32_t user, uint8_t flags, uint32_t bytes) noexcept {
    if ((flags & kEnded) != 0) return Drop::kUserExpired;
    const bool counted = (flags & rules.counted) != 0;
    Drop over = counted && tab_.spent(user, flags) ? at_end(user, flags, bytes) : Drop::kNone;
    if (over == Drop::kNone && (flags & rules.limited) != 0) over = over_limits(user, bytes);
    if (over != Drop::kNone) {
      (users_[user].*rules.dropped).fetch_add(1, std::memory_order_relaxed);
    } else if (counted) {
      tab_.charge(bytes);
    }
    return over;
  }

 private:
  Drop at_end(uint32_t user, uint8_t flags, uint32_t bytes) noexcept {
    if ((flags & kThrottled) == 0) return rules.over_quota;
    const Police verdict = (users_.quota(user).*rules.throttle).police(now_, bytes);
    return verdict == Police::kPass ? Drop::kNone : rules.over_throttle;
  }

  Drop over_limits(uint32_t user, uint32_t bytes) noexcept {
    const Police verdict = (users_[user].*rules.limits).police(now_, bytes);
    if (verdict == Police::kPass) return Drop::kNone;
    return verdict == Police::kOverBits ? rules.over_bits : rules.over_packets;
  }

  UserTable& users_;
  const uint64_t now_;
  QuotaTab tab_;
};

/// What holds for a packet to the user. The relay's own answers to it are neither charged to a
/// quota nor held up at its end.
uint8_t flags_down(const UserTable& users, const PacketMeta& m) noexcept {
  const unsigned answer = m.sender == m.peer ? kCountedDown : 0;
  return static_cast<uint8_t>(users.flags(m.peer_entry->user) & ~answer);
}

void end(Burst& burst, uint16_t i, Drop reason) noexcept {
  if (drop_info(reason).answer == IcmpError::kNone) {
    burst.drop(i, reason);
  } else {
    burst.refuse(i, reason);
  }
}

/// The session's owner alone counts what comes in by it.
void count(Session& session, uint16_t bytes) noexcept {
  std::atomic<uint64_t>& sum = session.rx_bytes;
  sum.store(sum.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

}  // namespace

void police_up(Worker& worker, Burst& burst) noexcept {
  constexpr uint8_t kAny = kLimitedUp | kCountedUp | kEnded;
  const UserTable& users = worker.shared.users;
  Judge<kUp> judge(worker);
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    burst.divert(i, m.mtu == 0 ? m.onward : Next::kFragment);
    const uint32_t user = worker.shared.peers[m.sender].user;
    const uint8_t flags = users.flags(user);
    if ((flags & kAny) != 0) {
      const Drop over = judge.judge(user, flags, m.ip_bytes);
      if (over == Drop::kUserExpired) {  // what it is told would end in police_down
        burst.drop(i, over);
        continue;
      }
      if (over != Drop::kNone) {
        end(burst, i, over);
        continue;
      }
    }
    count(*m.session, m.ip_bytes);
  }
}

void police_down(Worker& worker, Burst& burst) noexcept {
  constexpr uint8_t kAny = kLimitedDown | kCountedDown | kEnded;
  UserTable& users = worker.shared.users;
  uint16_t judged[kBurstSize];
  uint16_t count = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const uint32_t user = burst.meta[i].peer_entry->user;
    const uint8_t flags = flags_down(users, burst.meta[i]);
    if ((flags & kAny) == 0) continue;
    if ((flags & kLimitedDown) != 0) rte_prefetch0(&users[user].down);
    if ((flags & kCountedDown) != 0) rte_prefetch0(&users.quota(user));
    judged[count++] = i;
  }
  Judge<kDown> judge(worker);
  for (uint16_t k = 0; k < count; ++k) {
    const uint16_t i = judged[k];
    const PacketMeta& m = burst.meta[i];
    const Drop over = judge.judge(m.peer_entry->user, flags_down(users, m), m.ip_bytes);
    if (over != Drop::kNone) end(burst, i, over);
  }
}

}  // namespace wirelay::dataplane::stages
