// BLAKE2s, HMAC and the KDF of the handshake.
#include "crypto/blake2s.h"

#include <cassert>
#include <cstring>

#include <blake2.h>

namespace wirelay::crypto {

namespace {

/// libb2's state, which may hold key bytes: wiped when it goes.
class Hasher {
 public:
  explicit Hasher(size_t output_bytes) noexcept { blake2s_init(&state_, output_bytes); }
  Hasher(size_t output_bytes, ConstBytes key) noexcept {
    blake2s_init_key(&state_, output_bytes, key.data(), key.size());
  }
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher() { wipe(&state_, sizeof state_); }

  void update(ConstBytes bytes) noexcept {
    if (!bytes.empty()) blake2s_update(&state_, bytes.data(), bytes.size());
  }
  void update(std::initializer_list<ConstBytes> parts) noexcept {
    for (const ConstBytes part : parts) update(part);
  }
  void finish(std::span<uint8_t> out) noexcept { blake2s_final(&state_, out.data(), out.size()); }

 private:
  blake2s_state state_{};
};

constexpr size_t kBlockBytes = BLAKE2S_BLOCKBYTES;
constexpr uint8_t kInnerPad = 0x36;
constexpr uint8_t kOuterPad = 0x5c;

/// The key of HMAC, padded to a block and xored with one of its pads; wiped when it goes.
class PaddedKey {
 public:
  PaddedKey(ConstBytes key, uint8_t pad) noexcept {
    std::memset(block_, pad, kBlockBytes);
    for (size_t i = 0; i < key.size(); ++i) block_[i] ^= key[i];
  }
  PaddedKey(const PaddedKey&) = delete;
  PaddedKey& operator=(const PaddedKey&) = delete;
  ~PaddedKey() { wipe(block_, sizeof block_); }

  [[nodiscard]] ConstBytes bytes() const noexcept { return block_; }

 private:
  uint8_t block_[kBlockBytes]{};
};

}  // namespace

Bytes32 blake2s(std::initializer_list<ConstBytes> parts) noexcept {
  Bytes32 out{};
  Hasher hasher(out.size());
  hasher.update(parts);
  hasher.finish(out);
  return out;
}

std::array<uint8_t, 16> blake2s_mac(ConstBytes key,
                                    std::initializer_list<ConstBytes> parts) noexcept {
  assert(!key.empty() && key.size() <= BLAKE2S_KEYBYTES);
  std::array<uint8_t, 16> out{};
  Hasher hasher(out.size(), key);
  hasher.update(parts);
  hasher.finish(out);
  return out;
}

Bytes32 hmac_blake2s(ConstBytes key, std::initializer_list<ConstBytes> parts) noexcept {
  assert(key.size() <= kBlockBytes);
  Bytes32 out{};
  Hasher inner(out.size());
  inner.update(PaddedKey(key, kInnerPad).bytes());
  inner.update(parts);
  inner.finish(out);
  Hasher outer(out.size());
  outer.update(PaddedKey(key, kOuterPad).bytes());
  outer.update(out);
  outer.finish(out);
  return out;
}

void kdf(std::initializer_list<Secret*> outputs, ConstBytes key, ConstBytes input) noexcept {
  // The key is used up before the first output is written: the two may be one object.
  Bytes32 extracted = hmac_blake2s(key, {input});
  Bytes32 block{};
  uint8_t index = 0;
  for (Secret* output : outputs) {
    const ConstBytes previous = index == 0 ? ConstBytes{} : ConstBytes{block};
    ++index;
    block = hmac_blake2s(extracted, {previous, {&index, 1}});
    std::memcpy(output->data(), block.data(), block.size());
  }
  wipe(extracted.data(), extracted.size());
  wipe(block.data(), block.size());
}

}  // namespace wirelay::crypto
