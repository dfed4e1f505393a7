// Sealing on the control thread. Workers seal with the same sessions at the same time: a counter is
// reserved with fetch_add, as they do, and never twice.
#include "ctrl/protocol/transport.h"

#include "crypto/wire.h"
#include "ctrl/packets/datagram.h"
#include "dataplane/encap.h"
#include "dataplane/moved_path.h"
#include "dataplane/tables/memory_order.h"

namespace wirelay::ctrl {

using dataplane::kRelaxed;
using dataplane::PeerPath;
using dataplane::Session;

Transport::Transport(Context& ctx, Sessions& sessions, HeldPackets& held)
    : ctx_(ctx), sessions_(sessions), held_(held), engine_(crypto::make_engine("libsodium")) {}

bool Transport::keepalive(uint32_t peer) {
  if (sessions_.usable(peer) == nullptr) return false;
  rte_mbuf* empty = rte_pktmbuf_alloc(ctx_.shared.pool);
  if (empty == nullptr) {
    ++ctx_.counters.no_memory;
    return true;
  }
  if (!seal(peer, empty)) return false;
  ++ctx_.counters.keepalives_sent;
  return true;
}

bool Transport::is_for(uint32_t peer, const rte_mbuf* packet) const {
  using dataplane::RouteKind;
  using dataplane::RouteTarget;
  const auto to = destination_of(packet);
  return to && ctx_.shared.prefixes.lookup(*to) == RouteTarget::make(RouteKind::kPeer, peer);
}

bool Transport::send(uint32_t peer, rte_mbuf* packet) {
  if (is_for(peer, packet)) return seal(peer, packet);
  rte_pktmbuf_free(packet);
  return false;
}

bool Transport::seal(uint32_t peer, rte_mbuf* packet) {
  Session* session = sessions_.usable(peer);
  PeerPath room;
  const PeerPath* path = dataplane::way_to(ctx_.shared, ctx_.shared.peers[peer], session, room);
  if (session == nullptr || path == nullptr ||
      rte_pktmbuf_data_len(packet) > dataplane::tunnel_mtu(*path) ||  // workers cut, we do not
      dataplane::encapsulation_fits(packet, *path) != dataplane::Drop::kNone) {
    rte_pktmbuf_free(packet);
    return false;
  }
  const uint64_t counter = session->send_counter.fetch_add(1, kRelaxed);
  if (counter >= crypto::kRejectAfterMessages) {
    rte_pktmbuf_free(packet);
    return false;
  }
  const uint32_t bytes = rte_pktmbuf_data_len(packet);
  crypto::AeadPacket text;
  dataplane::encapsulate(packet, *session, *path, counter, text);
  engine_->seal_burst({&text, 1});
  dataplane::finish_encapsulation(packet, *path, ctx_.shared.ports[path->port]);
  session->tx_packets.fetch_add(1, kRelaxed);
  session->tx_bytes.fetch_add(bytes, kRelaxed);
  session->tx_tsc.store(ctx_.now.tsc, kRelaxed);
  if (bytes != 0) session->tx_data_tsc.store(ctx_.now.tsc, kRelaxed);
  ctx_.sender.send(packet, path->port, path->adjacency);
  return true;
}

size_t Transport::send_held(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  s.flags = static_cast<uint8_t>(s.flags & ~kHolding);
  size_t sent = 0;
  for (rte_mbuf* packet : held_.take(peer)) {
    if (send(peer, packet)) {
      ++sent;
    } else {
      ++ctx_.counters.held_dropped;
    }
  }
  return sent;
}

}  // namespace wirelay::ctrl
