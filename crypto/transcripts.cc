// Mixing what handshakes send and agree upon into their keys and hashes.
#include "crypto/transcripts.h"

#include <string_view>

#include "crypto/blake2s.h"

namespace wirelay::crypto {

namespace {

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";

ConstBytes as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

void Transcripts::start(const Lanes<32>& responders) noexcept {
  static const Bytes32 chaining_key = blake2s({as_bytes(kConstruction)});
  static const Bytes32 hash = blake2s({chaining_key, as_bytes(kIdentifier)});
  chaining_key_.set_all(chaining_key.data());
  hash_.set_all(hash.data());
  mix_hash(responders);
}

void Transcripts::load(size_t which, const Secret& chaining_key, const Bytes32& hash) noexcept {
  chaining_key_.set(which, chaining_key.data());
  hash_.set(which, hash.data());
}

void Transcripts::save(size_t which, Secret& chaining_key, Bytes32& hash) const noexcept {
  chaining_key_.get(which, chaining_key.data());
  hash_.get(which, hash.data());
}

void Transcripts::mix_key(const Lanes<32>& input) noexcept {
  kdf({&chaining_key_}, chaining_key_, &input, count_);
}

void Transcripts::mix_key(Lanes<32>& key, const Lanes<32>& input) noexcept {
  kdf({&chaining_key_, &key}, chaining_key_, &input, count_);
}

void Transcripts::mix_ephemeral(const Lanes<32>& ephemerals) noexcept {
  mix_hash(ephemerals);
  mix_key(ephemerals);
}

void Transcripts::mix_preshared(Lanes<32>& key, const Lanes<32>& preshared) noexcept {
  Lanes<32> temporary;
  kdf({&chaining_key_, &temporary, &key}, chaining_key_, &preshared, count_);
  mix_hash(temporary);
}

void Transcripts::derive(Lanes<32>& first, Lanes<32>& second) const noexcept {
  kdf({&first, &second}, chaining_key_, nullptr, count_);
}

}  // namespace wirelay::crypto
