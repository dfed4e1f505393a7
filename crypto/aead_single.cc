// AEAD for one message with associated data, through libsodium.
#include "crypto/aead_single.h"

#include <cassert>

#include <sodium.h>

namespace wirelay::crypto {

namespace {

constexpr size_t kOverhead = crypto_aead_chacha20poly1305_ietf_ABYTES;
static_assert(kOverhead == crypto_aead_xchacha20poly1305_ietf_ABYTES);

}  // namespace

void aead_seal(std::span<uint8_t> sealed, std::span<const uint8_t> text,
               std::span<const uint8_t> associated, const Nonce96& nonce,
               const uint8_t* key) noexcept {
  assert(sealed.size() == text.size() + kOverhead);
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, text.data(), text.size(),
                                            associated.data(), associated.size(), nullptr,
                                            nonce.data(), key);
}

bool aead_open(std::span<uint8_t> text, std::span<const uint8_t> sealed,
               std::span<const uint8_t> associated, const Nonce96& nonce,
               const uint8_t* key) noexcept {
  assert(sealed.size() == text.size() + kOverhead);
  return crypto_aead_chacha20poly1305_ietf_decrypt(text.data(), nullptr, nullptr, sealed.data(),
                                                   sealed.size(), associated.data(),
                                                   associated.size(), nonce.data(), key) == 0;
}

void xaead_seal(std::span<uint8_t> sealed, std::span<const uint8_t> text,
                std::span<const uint8_t> associated, const Nonce192& nonce,
                const uint8_t* key) noexcept {
  assert(sealed.size() == text.size() + kOverhead);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data(), nullptr, text.data(), text.size(),
                                             associated.data(), associated.size(), nullptr,
                                             nonce.data(), key);
}

bool xaead_open(std::span<uint8_t> text, std::span<const uint8_t> sealed,
                std::span<const uint8_t> associated, const Nonce192& nonce,
                const uint8_t* key) noexcept {
  assert(sealed.size() == text.size() + kOverhead);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(text.data(), nullptr, nullptr, sealed.data(),
                                                    sealed.size(), associated.data(),
                                                    associated.size(), nonce.data(), key) == 0;
}

}  // namespace wirelay::crypto
