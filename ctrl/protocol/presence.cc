// Arrivals and departures.
#include "ctrl/protocol/presence.h"

#include "ctrl/base/now.h"
#include "dataplane/encap.h"

namespace wirelay::ctrl {

void Presence::arrive(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  if ((s.flags & kConnected) != 0) return;
  s.flags |= kConnected;
  ++connected_;
  arrivals_[peer] = {ctx_.now.ns, s.traffic};
  if (ctx_.observer == nullptr) return;
  const dataplane::PeerPath* path = ctx_.path(peer);
  ctx_.observer->connected(
      peer, path == nullptr ? std::nullopt : std::optional(dataplane::path_remote(*path)));
}

void Presence::leave(uint32_t peer, Ended how) {
  PeerState& s = ctx_.state(peer);
  if ((s.flags & kConnected) == 0) return;
  s.flags = static_cast<uint8_t>(s.flags & ~kConnected);
  --connected_;
  if (ctx_.observer == nullptr) return;
  const Arrival& arrival = arrivals_[peer];
  ctx_.observer->disconnected(peer, how, (ctx_.now.ns - arrival.ns) / kNsPerSecond,
                              s.traffic - arrival.before);
}

}  // namespace wirelay::ctrl
