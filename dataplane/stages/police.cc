// police_up, police_down: the user's limits, for packets from the user and to the user. They hold
// over all the user's devices and all workers together (tables/user.h). What has no way on, or does
// not fit it, is gone before: it takes nothing of a limit.
#include <rte_prefetch.h>

#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// Drop::kNone when the packet may go on; otherwise it is counted with the user.
Drop police(Policer& policer, std::atomic<uint64_t>& dropped, uint64_t now, uint32_t bytes,
            Drop over_bits, Drop over_packets) noexcept {
  const Police verdict = policer.police(now, bytes);
  if (verdict == Police::kPass) return Drop::kNone;
  dropped.fetch_add(1, std::memory_order_relaxed);
  return verdict == Police::kOverBits ? over_bits : over_packets;
}

/// The session's owner alone counts what comes in by it.
void count(Session& session, uint16_t bytes) noexcept {
  std::atomic<uint64_t>& sum = session.rx_bytes;
  sum.store(sum.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

}  // namespace

void police_up(Worker& worker, Burst& burst) noexcept {
  UserTable& users = worker.shared.users;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    burst.divert(i, m.mtu == 0 ? m.onward : Next::kFragment);
    const uint32_t number = worker.shared.peers[m.sender].user;
    if ((users.limited(number) & kLimitedUp) != 0) {
      User& user = users[number];
      const Drop over = police(user.up, user.dropped_up, worker.police_time, m.ip_bytes,
                               Drop::kRateUp, Drop::kPacketRateUp);
      if (over != Drop::kNone) {
        burst.drop(i, over);
        continue;
      }
    }
    count(*m.session, m.ip_bytes);
  }
}

void police_down(Worker& worker, Burst& burst) noexcept {
  UserTable& users = worker.shared.users;
  uint16_t limited[kBurstSize];
  uint16_t count = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const uint32_t user = burst.meta[i].peer_entry->user;
    if ((users.limited(user) & kLimitedDown) == 0) continue;
    rte_prefetch0(&users[user].down);
    limited[count++] = i;
  }
  for (uint16_t k = 0; k < count; ++k) {
    const uint16_t i = limited[k];
    const PacketMeta& m = burst.meta[i];
    User& user = users[m.peer_entry->user];
    const Drop over = police(user.down, user.dropped_down, worker.police_time, m.ip_bytes,
                             Drop::kRateDown, Drop::kPacketRateDown);
    if (over != Drop::kNone) burst.drop(i, over);
  }
}

}  // namespace wirelay::dataplane::stages
