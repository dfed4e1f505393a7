// The way to a peer: the path that the control thread has published, or the one to where the peer
// was heard since, which workers find by themselves.
#pragma once

#include "dataplane/dataplane.h"

namespace wirelay::dataplane {

/// Makes the path back to where a packet was seen; false when its port leads there neither by a
/// network of its own nor by a gateway. A host that has no adjacency yet is found by the control
/// thread, for the first packet to it (kNoAdjacency).
bool make_way_back(Shared& shared, const Sighting& seen, PeerPath& path) noexcept;

/// The path of packets that are sealed with `session` (may be null: none in particular); null when
/// it is not known where the peer is. `room` holds it when it is not the published one.
inline const PeerPath* way_to(Shared& shared, const Peer& peer, const Session* session,
                              PeerPath& room) noexcept {
  // In this order: the control thread publishes a path first, and then since when it counts.
  const uint64_t placed = peer.placed.load(std::memory_order_acquire);
  const PeerPath* path = peer.path.load(std::memory_order_acquire);
  if (session == nullptr || session->moved.load(std::memory_order_relaxed) <= placed) [[likely]] {
    return path;
  }
  return make_way_back(shared, shared.sessions.last_move(*session).where, room) ? &room : path;
}

}  // namespace wirelay::dataplane
