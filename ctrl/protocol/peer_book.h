// What the protocol keeps of each peer: 256 bytes, of which the timers read one cache line.
// Control thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "crypto/noise.h"
#include "ctrl/protocol/key_index.h"
#include "ctrl/users/model.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::ctrl {

/// Bits of PeerState::flags.
inline constexpr uint8_t kPresent = 1;      // the number is in use
inline constexpr uint8_t kEnabled = 2;      // its user may shake hands
inline constexpr uint8_t kHandshaking = 4;  // the initiator holds state for it
inline constexpr uint8_t kHolding = 8;      // packets wait for a session
inline constexpr uint8_t kGreet = 16;       // a keepalive is due, whatever went before
inline constexpr uint8_t kConnected = 32;   // has a session that it has used (presence.h)

inline constexpr uint8_t kNobody = 0xff;  // no worker

/// Times are TSC readings; 0: never, none.
struct alignas(64) PeerState {
  // Line 0: what each check of the timers reads.
  uint32_t current, next, previous;  // receiver indices of the sessions; 0: none
  uint16_t keepalive;                // persistent keepalive interval in seconds; 0: off
  uint8_t flags;
  uint8_t worker;   // that received the last authentic handshake message, or kNobody
  uint64_t born;    // of the current session
  uint64_t expiry;  // the first of the sessions must go then
  uint64_t sent;    // last handshake message sent
  uint64_t heard;   // last authentic handshake message, or packet of an ended session, received;
                    // or when we began anew because of silence, which counts from here
  uint64_t unanswered;  // data came in then and nothing went out since
  uint64_t unheard;     // data went out then and nothing came in since

  // Line 1.
  alignas(64) uint32_t active_at;  // position in the active list + 1; 0: not in it
  uint32_t generation;             // counts the uses of the number
  uint32_t answering;              // receiver index of the answer that is being computed; 0: none
  uint64_t initiation;             // last accepted initiation
  uint64_t handshake_unix_ns;      // last completed handshake
  dataplane::Traffic traffic;      // of ended sessions
};
static_assert(sizeof(PeerState) == 128);

/// Who a peer is. Secrets as plain bytes, because the array holds them: wiped by remove().
struct alignas(64) PeerIdentity {
  crypto::PublicKey public_key;
  crypto::Bytes32 preshared_key;  // zero: none
  crypto::Bytes32 static_static;  // X25519 of both static keys; valid when `computed`
  crypto::Timestamp timestamp;    // greatest accepted, against replayed initiations
  dataplane::Endpoint endpoint;   // as configured last; port 0: none
  bool computed;
};
static_assert(sizeof(PeerIdentity) == 128);

class PeerBook {
 public:
  explicit PeerBook(uint32_t capacity);

  PeerState& state(uint32_t peer) noexcept { return states_[peer]; }
  [[nodiscard]] const PeerState& state(uint32_t peer) const noexcept { return states_[peer]; }
  PeerIdentity& identity(uint32_t peer) noexcept { return identities_[peer]; }
  [[nodiscard]] const PeerIdentity& identity(uint32_t peer) const noexcept {
    return identities_[peer];
  }
  /// Of the last initiation that was refused because an earlier one had a later time, unless one
  /// was accepted since; zeros: none.
  crypto::Timestamp& refused_timestamp(uint32_t peer) noexcept { return refused_[peer]; }
  [[nodiscard]] const crypto::Timestamp& refused_timestamp(uint32_t peer) const noexcept {
    return refused_[peer];
  }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool present(uint32_t peer) const noexcept {
    return peer < capacity_ && (states_[peer].flags & kPresent) != 0;
  }

  void add(uint32_t peer, const PeerSpec& spec, bool enabled);
  /// Whether its user may shake hands.
  void set_enabled(uint32_t peer, bool enabled) noexcept;
  /// How many of the peers that are there may.
  [[nodiscard]] size_t enabled() const noexcept { return enabled_; }
  /// Wipes the identity. Sessions and all else that the state refers to has ended before.
  void remove(uint32_t peer);
  /// Enters another public key; what was known with the old one is forgotten.
  void set_key(uint32_t peer, const crypto::PublicKey& key);
  [[nodiscard]] std::optional<uint32_t> find(const crypto::PublicKey& key) const {
    return keys_.find(key);
  }

  /// X25519 of the static keys of all of these, where it is not known yet.
  void compute_secrets(std::span<const uint32_t> peers, const crypto::Identity& self);
  /// The peer as the handshake wants it; X25519 of the static keys is computed at the first call.
  /// nullopt when its public key is unusable (a low-order point).
  std::optional<crypto::RemoteIdentity> remote(uint32_t peer, const crypto::Identity& self);

  /// The active list: peers that the timers look at. Both calls may be repeated.
  void activate(uint32_t peer);
  void deactivate(uint32_t peer);
  [[nodiscard]] std::span<const uint32_t> active() const noexcept { return active_; }

 private:
  const uint32_t capacity_;
  dataplane::LazyArray<PeerState> states_;
  dataplane::LazyArray<PeerIdentity> identities_;
  dataplane::LazyArray<crypto::Timestamp> refused_;
  KeyIndex keys_;
  size_t enabled_ = 0;
  std::vector<uint32_t> active_;
};

}  // namespace wirelay::ctrl
