// BLAKE2s of several messages of one length side by side, and HMAC and the KDF of the handshake on
// it: what crypto/blake2s.h does for one. By the widest kernel of crypto/lanes/ that this processor
// has and that agrees with libb2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include "crypto/keys.h"
#include "crypto/lanes/blake2s_kernel.h"

namespace wirelay::crypto {

/// That go side by side at most.
using lanes::kHashLanes;

/// The same number of bytes, a multiple of four, of each message. May be secret: wiped when it
/// goes.
template <size_t kBytes>
class Lanes {
 public:
  static_assert(kBytes % 4 == 0);
  static constexpr size_t kWords = kBytes / 4;

  Lanes() noexcept = default;
  Lanes(const Lanes&) noexcept = default;
  Lanes& operator=(const Lanes&) noexcept = default;
  ~Lanes() { wipe(words_, sizeof words_); }

  void set(size_t message, const uint8_t* bytes) noexcept {
    for (size_t i = 0; i < kWords; ++i) std::memcpy(&words_[i][message], bytes + 4 * i, 4);
  }
  void get(size_t message, uint8_t* bytes) const noexcept {
    for (size_t i = 0; i < kWords; ++i) std::memcpy(bytes + 4 * i, &words_[i][message], 4);
  }
  void set_all(const uint8_t* bytes) noexcept {
    for (size_t message = 0; message < kHashLanes; ++message) set(message, bytes);
  }

  [[nodiscard]] const lanes::HashWords<kWords>& words() const noexcept { return words_; }
  [[nodiscard]] lanes::HashWords<kWords>& words() noexcept { return words_; }

 private:
  alignas(64) lanes::HashWords<kWords> words_{};
};

/// HASH of the first `messages` of what is added.
class LaneHash {
 public:
  explicit LaneHash(size_t messages) noexcept;

  template <size_t kBytes>
  LaneHash& add(const Lanes<kBytes>& part) noexcept {
    for (const auto& word : part.words()) add_word(word);
    return *this;
  }
  /// A key of HMAC, padded to a block and xored with a byte all over.
  LaneHash& add_padded(const Lanes<32>& key, uint8_t pad) noexcept;
  /// The same byte to all. Nothing may be added behind it.
  LaneHash& add_last_byte(uint8_t byte) noexcept;
  /// More is to come, so that a full block may be hashed at once: before copies are made.
  LaneHash& settle() noexcept;
  void finish(Lanes<32>& out) noexcept;

 private:
  void add_word(const uint32_t (&word)[kHashLanes]) noexcept;
  void compress(bool last) noexcept;

  const size_t messages_;
  uint64_t bytes_ = 0;  // in all blocks
  size_t filled_ = 0;   // words of the block
  Lanes<32> state_;
  Lanes<64> block_;
};

/// KDF_n(key, input) of each of the first `messages`; `input` null: empty ones. An output may be
/// the key.
void kdf(std::initializer_list<Lanes<32>*> outputs, const Lanes<32>& key, const Lanes<32>* input,
         size_t messages) noexcept;

/// "avx512", "avx2" or "sse2".
std::string_view blake2s_kernel_name() noexcept;

}  // namespace wirelay::crypto
