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
  uint32_t retries = 0;          // initiations sent again since the need was last felt
  uint64_t wanted = 0;           // when the need for a session was last felt
  uint64_t retry = 0;            // when to send an initiation again; 0: no session is sought
  uint64_t used = 0;             // last message sent
};

/// By peer number. PeerState's flag kHandshaking says whether a peer has an entry.
class Handshakes {
 public:
  explicit Handshakes(Context& ctx) : ctx_(ctx) {}

  [[nodiscard]] Handshake* find(uint32_t peer);
  Handshake& get(uint32_t peer);
  /// We try to get a session, and go on until there is one, or no hope of one.
  [[nodiscard]] bool seeks(uint32_t peer) {
    const Handshake* handshake = find(peer);
    return handshake != nullptr && handshake->retry != 0;
  }
  /// Writes the macs of a message that is sent to `peer` now.
  void write_macs(uint32_t peer, std::span<uint8_t> message);
  /// An initiation is due again 5 s from now, and a little later by chance: so that two sides that
  /// began at once do not go on doing so.
  void set_retry(Handshake& handshake) const;
  /// The peer's own initiation was accepted, and a response to ours no longer will be: one
  /// handshake makes one session. Should the peer not use it, we begin again.
  void yield(uint32_t peer);
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
