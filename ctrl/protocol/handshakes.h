// Handshakes that are under way: what we keep of a peer between its messages, and no longer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "crypto/cookie.h"
#include "crypto/noise.h"
#include "ctrl/protocol/context.h"

namespace wirelay::ctrl {

/// Times are TSC readings.
struct Handshake {
  explicit Handshake(const crypto::PublicKey& peer) : macs(peer) {}
  crypto::MacWriter macs;        // remembers our last message, and the cookie that answered it
  crypto::HandshakeState state;  // of our initiation; valid while `index` is not 0
  uint32_t index = 0;            // receiver index of our initiation; 0: none is out
  uint64_t began = 0;            // when the need for a session was last felt
  uint64_t retry = 0;            // when to send the initiation again
  uint64_t used = 0;             // last message sent
};

/// By peer number. PeerState's flag kHandshaking says whether a peer has an entry.
class Handshakes {
 public:
  explicit Handshakes(Context& ctx) : ctx_(ctx) {}

  [[nodiscard]] Handshake* find(uint32_t peer);
  Handshake& get(uint32_t peer);
  /// Writes the macs of a message that is sent to `peer` now.
  void write_macs(uint32_t peer, std::span<uint8_t> message);
  /// There is a session, or no hope of one: the state of our initiation is wiped, its index given
  /// back unless it was set to 0 before. A cookie stays while it lasts.
  void finish(uint32_t peer);
  /// Gives the reserved index back and forgets everything about the peer.
  void abort(uint32_t peer);
  /// Forgets a finished handshake whose cookie is too old to be of use.
  void forget_stale(uint32_t peer);
  /// True when the reply belongs to the last message that we sent with its receiver index.
  bool take_cookie(const crypto::MessageCookieReply& reply);

 private:
  Context& ctx_;
  std::unordered_map<uint32_t, Handshake> under_way_;
};

}  // namespace wirelay::ctrl
