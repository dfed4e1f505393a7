// What both sides of a handshake compute alike (WireGuard paper, section 5.4), of several
// handshakes side by side that are at the same step. Names follow the paper: C is the chaining key,
// H the hash of the transcript. crypto/noise.cc puts the messages together from it.
#pragma once

#include <array>
#include <span>

#include "crypto/aead_single.h"
#include "crypto/blake2s_lanes.h"
#include "crypto/keys.h"

namespace wirelay::crypto {

/// Something of each handshake.
template <typename T>
using EachOf = std::array<T, kHashLanes>;

class Transcripts {
 public:
  explicit Transcripts(size_t count) noexcept : count_(count) {}

  [[nodiscard]] size_t count() const noexcept { return count_; }

  /// C := HASH(construction); H := HASH(HASH(C || identifier) || responder's public key)
  void start(const Lanes<32>& responders) noexcept;
  /// One handshake's C and H, between its messages.
  void load(size_t which, const Secret& chaining_key, const Bytes32& hash) noexcept;
  void save(size_t which, Secret& chaining_key, Bytes32& hash) const noexcept;

  /// H := HASH(H || data)
  template <size_t kBytes>
  void mix_hash(const Lanes<kBytes>& data) noexcept {
    LaneHash(count_).add(hash_).add(data).finish(hash_);
  }
  /// C := KDF1(C, input)
  void mix_key(const Lanes<32>& input) noexcept;
  /// (C, key) := KDF2(C, input)
  void mix_key(Lanes<32>& key, const Lanes<32>& input) noexcept;
  /// H := HASH(H || ephemeral); C := KDF1(C, ephemeral)
  void mix_ephemeral(const Lanes<32>& ephemerals) noexcept;
  /// (C, t, key) := KDF3(C, Q); H := HASH(H || t)
  void mix_preshared(Lanes<32>& key, const Lanes<32>& preshared) noexcept;
  /// (first, second) := KDF2(C, nothing)
  void derive(Lanes<32>& first, Lanes<32>& second) const noexcept;

  /// sealed := AEAD(key, 0, text, H); H := HASH(H || sealed). `text_of(i)` and `sealed_of(i)` are
  /// handshake i's, of kText and of kText + 16 bytes.
  template <size_t kText, typename TextOf, typename SealedOf>
  void seal_and_hash(const Lanes<32>& keys, TextOf text_of, SealedOf sealed_of) noexcept {
    Lanes<kText + kTagOfText> all;
    for (size_t i = 0; i < count_; ++i) {
      const KeyAndHash of(*this, keys, i);
      const std::span<uint8_t> sealed = sealed_of(i);
      aead_seal(sealed, text_of(i), of.hash, Nonce96{}, of.key.data());
      all.set(i, sealed.data());
    }
    mix_hash(all);
  }
  /// The reverse; `authentic(i)` is told whether handshake i's was. H of others is of no use then.
  template <size_t kText, typename TextOf, typename SealedOf>
  EachOf<bool> open_and_hash(const Lanes<32>& keys, TextOf text_of, SealedOf sealed_of) noexcept {
    EachOf<bool> authentic{};
    Lanes<kText + kTagOfText> all;
    for (size_t i = 0; i < count_; ++i) {
      const KeyAndHash of(*this, keys, i);
      const std::span<const uint8_t> sealed = sealed_of(i);
      authentic[i] = aead_open(text_of(i), sealed, of.hash, Nonce96{}, of.key.data());
      all.set(i, sealed.data());
    }
    mix_hash(all);
    return authentic;
  }

 private:
  static constexpr size_t kTagOfText = 16;

  /// Each key of a handshake seals one text, so that every nonce is zero.
  struct KeyAndHash {
    KeyAndHash(const Transcripts& all, const Lanes<32>& keys, size_t which) noexcept {
      all.hash_.get(which, hash.data());
      keys.get(which, key.data());
    }
    Bytes32 hash;
    Secret key;
  };

  size_t count_;
  Lanes<32> chaining_key_, hash_;
};

}  // namespace wirelay::crypto
