// fit: may the sender reach the peer, is there a path to it, and is it wide enough? What is too
// large is cut where its sender has allowed that, or refused, and the sender told what fits. TCP is
// told at its beginning.
#include "dataplane/encap.h"
#include "dataplane/moved_path.h"
#include "dataplane/net/fragment.h"
#include "dataplane/net/tcp.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// The published one, which says what fits until the control thread hears of a move; or, where none
/// was known, the one to where the peer was seen just now.
const PeerPath* path_to(Shared& shared, const Peer& peer, PeerPath& room) noexcept {
  const PeerPath* path = peer.path.load(std::memory_order_acquire);
  if (path != nullptr) [[likely]]
    return path;
  return way_to(shared, peer, session_to_send(peer, shared.sessions), room);
}

/// To a peer from another, the narrower of both ways counts: the answers come by the other one.
uint16_t narrower(Worker& worker, const PacketMeta& m, uint16_t mtu) noexcept {
  if (m.sender == kNobody) return mtu;
  const PeerPath* back = worker.shared.peers[m.sender].path.load(std::memory_order_acquire);
  return back == nullptr ? mtu : std::min(mtu, tunnel_mtu(*back));
}

/// Users who are isolated reach each other by their public addresses at most (stage nat_out): such
/// a packet is plain by then.
bool keeps_apart(Worker& worker, const PacketMeta& m) noexcept {
  if (m.sender == kNobody) return false;
  const uint32_t from = worker.shared.peers[m.sender].user, to = m.peer_entry->user;
  return from != to && !worker.shared.may_meet(from, to);
}

}  // namespace

void fit(Worker& worker, Burst& burst) noexcept {
  const bool isolated = worker.shared.isolated.load(std::memory_order_relaxed);
  for (uint16_t i = 0; i < burst.count; ++i) {
    PacketMeta& m = burst.meta[i];
    if (isolated && keeps_apart(worker, m)) [[unlikely]] {
      burst.refuse(i, Drop::kIsolated);
      continue;
    }
    PeerPath room;
    const PeerPath* path = path_to(worker.shared, *m.peer_entry, room);
    if (path == nullptr) [[unlikely]] {
      burst.refuse(i, Drop::kNoEndpoint);
      continue;
    }
    auto* ip = rte_pktmbuf_mtod(burst.mbufs[i], uint8_t*);
    uint16_t mtu = tunnel_mtu(*path);
    if (mtu < kLeastMtu6 && ip_version(ip) == 6) [[unlikely]] {
      mtu = kLeastMtu6;
    }
    if (m.ip_bytes > mtu) [[unlikely]] {
      if (!may_fragment(ip)) {
        burst.refuse(i, Drop::kTooBig, mtu);
        continue;
      }
      m.mtu = mtu;
      m.onward = Next::kOutbound;
      burst.divert(i, Next::kFragment);
    } else if (is_tcp(ip)) {
      clamp_mss(ip, m.ip_bytes, narrower(worker, m, mtu));
    }
  }
}

}  // namespace wirelay::dataplane::stages
