// Transport messages that the control thread seals itself: keepalives, and packets that waited for
// their session. All else is sealed by workers (dataplane/stages/seal.cc).
#pragma once

#include <cstdint>
#include <memory>

#include <rte_mbuf.h>

#include "crypto/aead.h"
#include "ctrl/packets/held_packets.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/sessions.h"

namespace wirelay::ctrl {

class Transport {
 public:
  Transport(Context& ctx, Sessions& sessions, HeldPackets& held);

  /// Sends an empty packet; false when there is no usable session or no path. Without memory it is
  /// lost, as on any network, and counted.
  bool keepalive(uint32_t peer);
  /// Is the packet's destination among the peer's allowed IPs? A packet that waited names a peer by
  /// its number, which may be another's by now, and allowed IPs move from peer to peer.
  [[nodiscard]] bool is_for(uint32_t peer, const rte_mbuf* packet) const;
  /// Seals and sends an inner IP packet; false, and the packet is freed, when that cannot be, or
  /// the packet is not for this peer.
  bool send(uint32_t peer, rte_mbuf* packet);
  /// Sends what waited for the peer's session; returns how many packets went.
  size_t send_held(uint32_t peer);

 private:
  /// Owns the mbuf.
  bool seal(uint32_t peer, rte_mbuf* packet);

  Context& ctx_;
  Sessions& sessions_;
  HeldPackets& held_;
  std::unique_ptr<crypto::AeadEngine> engine_;  // engines are not shared between threads
};

}  // namespace wirelay::ctrl
