// Keys, randomness and forgetful memory on libsodium.
#include "crypto/keys.h"

#include <algorithm>
#include <stdexcept>

#include <sodium.h>

#include "crypto/blake2s.h"

namespace wirelay::crypto {

namespace {

constexpr size_t kBase64KeyLength = 44;
constexpr size_t kKeysAtOnce = 16;

/// A key as text, wiped when it goes: it may be a private one.
struct KeyText {
  explicit KeyText(const Bytes32& key) noexcept {
    sodium_bin2base64(text, sizeof text, key.data(), key.size(), sodium_base64_VARIANT_ORIGINAL);
  }
  KeyText(const KeyText&) = delete;
  KeyText& operator=(const KeyText&) = delete;
  ~KeyText() { wipe(text, sizeof text); }

  char text[kBase64KeyLength + 1]{};
};

}  // namespace

void wipe(void* memory, size_t bytes) noexcept { sodium_memzero(memory, bytes); }

bool equal(std::span<const uint8_t> a, std::span<const uint8_t> b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool Secret::is_zero() const noexcept { return sodium_is_zero(bytes_.data(), bytes_.size()) == 1; }

Secret generate_private_key() {
  Secret key;
  generate_private_keys({&key, 1});
  return key;
}

void generate_private_keys(std::span<Secret> keys) {
  Bytes32 bytes[kKeysAtOnce];
  for (size_t i = 0; i < keys.size(); ++i) {
    const size_t at = i % kKeysAtOnce, left = keys.size() - i;
    if (at == 0) random_bytes({bytes[0].data(), std::min(left, kKeysAtOnce) * sizeof(Bytes32)});
    bytes[at][0] &= 248;
    bytes[at][31] &= 127;
    bytes[at][31] |= 64;
    keys[i] = Secret(bytes[at]);
  }
  wipe(bytes, sizeof bytes);
}

Secret generate_preshared_key() {
  Secret key;
  random_bytes({key.data(), Secret::size()});
  return key;
}

PublicKey derive_public_key(const Secret& private_key) noexcept {
  PublicKey key;
  crypto_scalarmult_base(key.data(), private_key.data());
  return key;
}

bool x25519(Secret& out, const Secret& private_key, const PublicKey& peer) noexcept {
  if (crypto_scalarmult(out.data(), private_key.data(), peer.data()) == 0) return true;
  out.clear();
  return false;
}

std::optional<Bytes32> parse_base64_key(std::string_view text) noexcept {
  Bytes32 key{};
  if (text.size() != kBase64KeyLength ||
      sodium_base642bin(key.data(), key.size(), text.data(), text.size(), nullptr, nullptr, nullptr,
                        sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  // libsodium 1.0.18 reads every character above 0x7f as a slash, and shorter keys pass until
  // here: only the text that we would write ourselves is a key.
  if (sodium_memcmp(KeyText(key).text, text.data(), text.size()) != 0) return std::nullopt;
  return key;
}

std::string to_base64(const Bytes32& key) { return {KeyText(key).text, kBase64KeyLength}; }

void init_crypto() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium found no source of random numbers");
  // libb2 picks its code for this CPU at the first call of each function: do that here, where
  // there is one thread.
  const uint8_t key[1] = {};
  blake2s({});
  blake2s_mac(key, {});
}

void random_bytes(std::span<uint8_t> out) noexcept { randombytes_buf(out.data(), out.size()); }

uint32_t random_u32() noexcept { return randombytes_random(); }

}  // namespace wirelay::crypto
