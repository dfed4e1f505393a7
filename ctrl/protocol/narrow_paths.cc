// Which paths are narrow, see narrow_paths.h.
#include "ctrl/protocol/narrow_paths.h"

#include <algorithm>

namespace wirelay::ctrl {

uint16_t NarrowPaths::mtu(uint32_t peer, const dataplane::IpAddr& remote, uint16_t mtu) const {
  const auto found = known_.find(peer);
  // Elsewhere it has another way.
  if (found == known_.end() || found->second.remote != remote) return mtu;
  return std::min(mtu, found->second.mtu);
}

bool NarrowPaths::learn(uint32_t peer, const dataplane::IpAddr& remote, uint16_t mtu,
                        uint64_t until) {
  const auto found = known_.find(peer);
  if (found != known_.end() && found->second.remote == remote && found->second.mtu <= mtu) {
    return false;
  }
  known_.insert_or_assign(peer, Narrow{remote, mtu, until});
  expiries_.push_back({peer, until});
  return true;
}

std::optional<uint32_t> NarrowPaths::expire(uint64_t now) {
  while (!expiries_.empty() && expiries_.front().until <= now) {
    const Expiry due = expiries_.front();
    expiries_.pop_front();
    const auto found = known_.find(due.peer);
    // One that has been learned anew since has an entry of its own further behind.
    if (found == known_.end() || found->second.until != due.until) continue;
    known_.erase(found);
    return due.peer;
  }
  return std::nullopt;
}

}  // namespace wirelay::ctrl
