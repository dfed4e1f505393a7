// The Noise_IKpsk2 handshake. Names follow the WireGuard paper, section 5.4: C is the chaining
// key, H the hash of the transcript.
#include "crypto/noise.h"

#include <cstring>
#include <string_view>

#include "crypto/aead_single.h"
#include "crypto/blake2s.h"

namespace wirelay::crypto {

namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kTai64Epoch = 0x400000000000000a;  // 1970-01-01 UTC, as TAI64 labels it
constexpr uint64_t kTimestampGrain = uint64_t{1} << 24;

/// Each key of the handshake seals one text, so that every nonce is zero.
constexpr Nonce96 kZeroNonce{};

ConstBytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// H := HASH(H || data)
void mix_hash(HandshakeState& state, ConstBytes data) noexcept {
  state.hash = blake2s({state.hash, data});
}

/// C := KDF1(C, input)
void mix_key(HandshakeState& state, ConstBytes input) noexcept {
  kdf({&state.chaining_key}, state.chaining_key.bytes(), input);
}

/// (C, key) := KDF2(C, input)
void mix_key(HandshakeState& state, Secret& key, ConstBytes input) noexcept {
  kdf({&state.chaining_key, &key}, state.chaining_key.bytes(), input);
}

/// C := KDF1(C, DH(ours, theirs)); false for a low-order point.
[[nodiscard]] bool mix_exchange(HandshakeState& state, const Secret& ours,
                                const PublicKey& theirs) noexcept {
  Secret shared;
  if (!x25519(shared, ours, theirs)) return false;
  mix_key(state, shared.bytes());
  return true;
}

/// (C, key) := KDF2(C, DH(ours, theirs)); false for a low-order point.
[[nodiscard]] bool mix_exchange(HandshakeState& state, Secret& key, const Secret& ours,
                                const PublicKey& theirs) noexcept {
  Secret shared;
  if (!x25519(shared, ours, theirs)) return false;
  mix_key(state, key, shared.bytes());
  return true;
}

/// (C, t, key) := KDF3(C, Q); H := HASH(H || t)
void mix_preshared(HandshakeState& state, Secret& key, const Secret& preshared) noexcept {
  Secret temporary;
  kdf({&state.chaining_key, &temporary, &key}, state.chaining_key.bytes(), preshared.bytes());
  mix_hash(state, temporary.bytes());
}

/// sealed := AEAD(key, 0, text, H); H := HASH(H || sealed)
void seal_and_hash(HandshakeState& state, const Secret& key, ConstBytes text,
                   std::span<uint8_t> sealed) noexcept {
  aead_seal(sealed, text, state.hash, kZeroNonce, key.data());
  mix_hash(state, sealed);
}

/// The reverse; false, with the state as it was, when `sealed` is not authentic.
[[nodiscard]] bool open_and_hash(HandshakeState& state, const Secret& key, std::span<uint8_t> text,
                                 ConstBytes sealed) noexcept {
  if (!aead_open(text, sealed, state.hash, kZeroNonce, key.data())) return false;
  mix_hash(state, sealed);
  return true;
}

/// C := HASH(construction); H := HASH(HASH(C || identifier) || responder's public key)
void start(HandshakeState& state, const PublicKey& responder) noexcept {
  static const Bytes32 chaining_key = blake2s({as_bytes(kConstruction)});
  static const Bytes32 hash = blake2s({chaining_key, as_bytes(kIdentifier)});
  state.chaining_key = Secret(chaining_key);
  state.hash = hash;
  mix_hash(state, responder);
}

/// H := HASH(H || ephemeral); C := KDF1(C, ephemeral)
void mix_ephemeral(HandshakeState& state, ConstBytes ephemeral) noexcept {
  mix_hash(state, ephemeral);
  mix_key(state, ephemeral);
}

MessageHeader make_header(MessageType type) noexcept {
  return {static_cast<uint8_t>(type), {0, 0, 0}};
}

bool is(const MessageHeader& header, MessageType type) noexcept {
  return header.type == static_cast<uint8_t>(type) &&
         (header.reserved[0] | header.reserved[1] | header.reserved[2]) == 0;
}

PublicKey load_key(const uint8_t (&bytes)[32]) noexcept {
  PublicKey key;
  std::memcpy(key.data(), bytes, key.size());
  return key;
}

/// The last step of both sides: the initiator sends with the first key, the responder with the
/// second.
TransportKeys derive_transport(const HandshakeState& state, bool initiator) noexcept {
  TransportKeys keys;
  Secret* first = initiator ? &keys.send : &keys.receive;
  Secret* second = initiator ? &keys.receive : &keys.send;
  kdf({first, second}, state.chaining_key.bytes(), {});
  keys.local_index = state.local_index;
  keys.remote_index = state.remote_index;
  keys.initiator = initiator;
  return keys;
}

}  // namespace

Timestamp make_timestamp(uint64_t unix_ns) noexcept {
  const uint64_t seconds = kTai64Epoch + unix_ns / kNanosecondsPerSecond;
  const uint64_t nanoseconds = unix_ns % kNanosecondsPerSecond & ~(kTimestampGrain - 1);
  Timestamp out;
  for (int i = 0; i < 8; ++i) out[i] = static_cast<uint8_t>(seconds >> (56 - 8 * i));
  for (int i = 0; i < 4; ++i) out[8 + i] = static_cast<uint8_t>(nanoseconds >> (24 - 8 * i));
  return out;
}

uint64_t unix_seconds_of(const Timestamp& timestamp) noexcept {
  uint64_t seconds = 0;
  for (int i = 0; i < 8; ++i) seconds = seconds << 8 | timestamp[i];
  return seconds < kTai64Epoch ? 0 : seconds - kTai64Epoch;
}

Identity make_identity(const Secret& private_key) noexcept {
  return {private_key, derive_public_key(private_key)};
}

std::optional<RemoteIdentity> make_remote(const Identity& self, const PublicKey& peer,
                                          const Secret& preshared_key) noexcept {
  RemoteIdentity remote{peer, {}, preshared_key};
  if (!x25519(remote.static_static, self.private_key, peer)) return std::nullopt;
  return remote;
}

bool create_initiation(const Identity& self, const RemoteIdentity& remote, uint32_t local_index,
                       const Timestamp& now, MessageInitiation& out,
                       HandshakeState& state) noexcept {
  state = {};
  state.local_index = local_index;
  state.ephemeral = generate_private_key();
  out.header = make_header(MessageType::kInitiation);
  store_le32(out.sender, local_index);
  const PublicKey ephemeral = derive_public_key(state.ephemeral);
  std::memcpy(out.ephemeral, ephemeral.data(), ephemeral.size());

  Secret key;
  start(state, remote.public_key);
  mix_ephemeral(state, ephemeral);
  if (!mix_exchange(state, key, state.ephemeral, remote.public_key)) return false;
  seal_and_hash(state, key, self.public_key, out.sealed_static);
  mix_key(state, key, remote.static_static.bytes());
  seal_and_hash(state, key, now, out.sealed_timestamp);
  return true;
}

std::optional<OpenedInitiation> open_initiation(const Identity& self,
                                                const MessageInitiation& message) noexcept {
  if (!is(message.header, MessageType::kInitiation)) return std::nullopt;
  OpenedInitiation opened;
  HandshakeState& state = opened.state;
  state.remote_index = load_le32(message.sender);
  state.remote_ephemeral = load_key(message.ephemeral);

  Secret key;
  start(state, self.public_key);
  mix_ephemeral(state, state.remote_ephemeral);
  if (!mix_exchange(state, key, self.private_key, state.remote_ephemeral) ||
      !open_and_hash(state, key, opened.claimed_static, message.sealed_static)) {
    return std::nullopt;
  }
  return opened;
}

std::optional<Timestamp> authenticate_initiation(OpenedInitiation& opened,
                                                 const RemoteIdentity& remote,
                                                 const MessageInitiation& message) noexcept {
  HandshakeState state = opened.state;
  Secret key;
  Timestamp timestamp;
  mix_key(state, key, remote.static_static.bytes());
  if (!open_and_hash(state, key, timestamp, message.sealed_timestamp)) return std::nullopt;
  opened.state = state;
  return timestamp;
}

std::optional<TransportKeys> create_response(HandshakeState& state, const RemoteIdentity& remote,
                                             uint32_t local_index, MessageResponse& out) noexcept {
  HandshakeState ending = state;
  state = {};
  ending.local_index = local_index;
  out.header = make_header(MessageType::kResponse);
  store_le32(out.sender, local_index);
  store_le32(out.receiver, ending.remote_index);
  const Secret ephemeral_private = generate_private_key();
  const PublicKey ephemeral = derive_public_key(ephemeral_private);
  std::memcpy(out.ephemeral, ephemeral.data(), ephemeral.size());

  Secret key;
  mix_ephemeral(ending, ephemeral);
  if (!mix_exchange(ending, ephemeral_private, ending.remote_ephemeral) ||
      !mix_exchange(ending, ephemeral_private, remote.public_key)) {
    return std::nullopt;
  }
  mix_preshared(ending, key, remote.preshared_key);
  seal_and_hash(ending, key, {}, out.sealed_nothing);
  return derive_transport(ending, false);
}

std::optional<TransportKeys> consume_response(const Identity& self, const RemoteIdentity& remote,
                                              HandshakeState& state,
                                              const MessageResponse& message) noexcept {
  if (!is(message.header, MessageType::kResponse) ||
      load_le32(message.receiver) != state.local_index) {
    return std::nullopt;
  }
  HandshakeState ending = state;  // the state stays as it is until the response proves genuine
  ending.remote_index = load_le32(message.sender);
  const PublicKey ephemeral = load_key(message.ephemeral);

  Secret key;
  mix_ephemeral(ending, ephemeral);
  if (!mix_exchange(ending, ending.ephemeral, ephemeral) ||
      !mix_exchange(ending, self.private_key, ephemeral)) {
    return std::nullopt;
  }
  mix_preshared(ending, key, remote.preshared_key);
  if (!open_and_hash(ending, key, {}, message.sealed_nothing)) return std::nullopt;
  state = {};
  return derive_transport(ending, true);
}

}  // namespace wirelay::crypto
