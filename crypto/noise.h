// The Noise_IKpsk2 handshake (WireGuard paper, sections 5.4.1 to 5.4.5), both sides.
//
// Pure functions over message buffers: no I/O, no clock (timestamps are passed in), no tables.
// Mac fields are crypto/cookie.h's; these functions leave them alone.
//
// Each step is there for many handshakes at once, which costs a part of what it costs for each
// alone (docs/handshakes.md), and for one. Any number may be given; kHandshakesAtOnce, or a
// multiple, fill what computes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "crypto/keys.h"
#include "crypto/wire.h"

namespace wirelay::crypto {

/// TAI64N: 8 bytes seconds, 4 bytes nanoseconds, big-endian; compares bytewise.
using Timestamp = std::array<uint8_t, 12>;

/// `unix_ns`: nanoseconds since 1970. Rounded down to 2^24 ns, as the Linux kernel does, so that
/// initiations do not tell the machine's exact clock.
Timestamp make_timestamp(uint64_t unix_ns) noexcept;
/// The moment that it stands for, Unix seconds; 0 for one before 1970.
uint64_t unix_seconds_of(const Timestamp& timestamp) noexcept;

/// Who we are.
struct Identity {
  Secret private_key;
  PublicKey public_key{};
};
Identity make_identity(const Secret& private_key) noexcept;

/// Whom we talk to, with what can be computed once a peer (one X25519 saved a handshake).
struct RemoteIdentity {
  PublicKey public_key{};
  Secret static_static;  // X25519(our private key, their public key)
  Secret preshared_key;  // zero when there is none
};
/// nullopt when the public key is a low-order point.
std::optional<RemoteIdentity> make_remote(const Identity& self, const PublicKey& peer,
                                          const Secret& preshared_key) noexcept;

/// The two keys of a session, seen from our side.
struct TransportKeys {
  Secret send;
  Secret receive;
  uint32_t local_index = 0;   // the receiver index that the peer writes to us
  uint32_t remote_index = 0;  // the receiver index that we write to the peer
  bool initiator = false;     // we sent the initiation
};

/// What stays between the two messages. Holds secrets, all wiped with it.
struct HandshakeState {
  Secret chaining_key;
  Bytes32 hash{};
  Secret ephemeral;              // initiator only
  PublicKey remote_ephemeral{};  // responder only
  uint32_t local_index = 0;
  uint32_t remote_index = 0;
};

inline constexpr size_t kHandshakesAtOnce = 16;

/// The static-static secrets of several peers of one party; false in `usable` for a low-order key.
struct RemoteOfBurst {
  const Identity* self;
  RemoteIdentity* remote;  // in: public key and preshared key; out: the secret
  bool usable = false;
};
void make_remotes(std::span<RemoteOfBurst> burst) noexcept;

/// Initiator, message 1: fills all of `message` but its macs. Not usable when the peer's key is
/// not.
struct InitiationToCreate {
  const Identity* self;
  const RemoteIdentity* remote;
  uint32_t local_index;
  Timestamp now;
  MessageInitiation* message;
  HandshakeState* state;
  bool usable = false;
};
void create_initiations(std::span<InitiationToCreate> burst) noexcept;
[[nodiscard]] bool create_initiation(const Identity& self, const RemoteIdentity& remote,
                                     uint32_t local_index, const Timestamp& now,
                                     MessageInitiation& out, HandshakeState& state) noexcept;

/// Responder, first half: who claims to send this? Nothing is proven yet but that the sender knew
/// our public key. nullopt for a message that does not decrypt.
struct OpenedInitiation {
  PublicKey claimed_static{};
  HandshakeState state;
};
struct InitiationToOpen {
  const Identity* self;
  const MessageInitiation* message;
  std::optional<OpenedInitiation> opened;
};
void open_initiations(std::span<InitiationToOpen> burst) noexcept;
std::optional<OpenedInitiation> open_initiation(const Identity& self,
                                                const MessageInitiation& message) noexcept;

/// Responder, second half, with the claimed peer looked up: proves that the sender holds the
/// private key and returns its timestamp, which the caller must find greater than the last one.
struct InitiationToAuthenticate {
  OpenedInitiation* opened;
  const RemoteIdentity* remote;
  const MessageInitiation* message;
  std::optional<Timestamp> timestamp;
};
void authenticate_initiations(std::span<InitiationToAuthenticate> burst) noexcept;
std::optional<Timestamp> authenticate_initiation(OpenedInitiation& opened,
                                                 const RemoteIdentity& remote,
                                                 const MessageInitiation& message) noexcept;

/// Responder, message 2: fills all of `message` but its macs, and ends the state. No keys for a
/// low-order ephemeral key of the initiator.
struct ResponseToCreate {
  HandshakeState* state;
  const RemoteIdentity* remote;
  uint32_t local_index;
  MessageResponse* message;
  std::optional<TransportKeys> keys;
};
void create_responses(std::span<ResponseToCreate> burst) noexcept;
std::optional<TransportKeys> create_response(HandshakeState& state, const RemoteIdentity& remote,
                                             uint32_t local_index, MessageResponse& out) noexcept;

/// Initiator, the end: nullopt when the response is not authentic; then `state` is unchanged and
/// a later, genuine response is still accepted. On success the state is wiped.
struct ResponseToConsume {
  const Identity* self;
  const RemoteIdentity* remote;
  HandshakeState* state;
  const MessageResponse* message;
  std::optional<TransportKeys> keys;
};
void consume_responses(std::span<ResponseToConsume> burst) noexcept;
std::optional<TransportKeys> consume_response(const Identity& self, const RemoteIdentity& remote,
                                              HandshakeState& state,
                                              const MessageResponse& message) noexcept;

}  // namespace wirelay::crypto
