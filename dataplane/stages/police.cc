// police_up, police_down: the user's limits, for packets from the user and to the user. They hold
// over all the user's devices and all workers together (tables/user.h).
#include <rte_prefetch.h>

#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// Drop::kCount when the packet may go on; otherwise it is counted with the user.
Drop police(Policer& policer, std::atomic<uint64_t>& dropped, uint64_t now, uint32_t bytes,
            Drop over_bits, Drop over_packets) noexcept {
  if (policer.unlimited()) return Drop::kCount;
  const Police verdict = policer.police(now, bytes);
  if (verdict == Police::kPass) return Drop::kCount;
  dropped.fetch_add(1, std::memory_order_relaxed);
  return verdict == Police::kOverBits ? over_bits : over_packets;
}

}  // namespace

void police_up(Worker& worker, Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    User& user = worker.shared.users[m.peer_entry->user];
    const Drop over = police(user.up, user.dropped_up, worker.police_time, m.ip_bytes,
                             Drop::kRateUp, Drop::kPacketRateUp);
    if (over == Drop::kCount) {
      burst.divert(i, Next::kForward);
    } else {
      burst.drop(i, over);
    }
  }
}

void police_down(Worker& worker, Burst& burst) noexcept {
  Shared& shared = worker.shared;
  for (uint16_t i = 0; i < burst.count; ++i) {
    rte_prefetch0(&shared.users[burst.meta[i].peer_entry->user].down);
  }
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    User& user = shared.users[m.peer_entry->user];
    const Drop over = police(user.down, user.dropped_down, worker.police_time, m.ip_bytes,
                             Drop::kRateDown, Drop::kPacketRateDown);
    if (over != Drop::kCount) burst.drop(i, over);
  }
}

}  // namespace wirelay::dataplane::stages
