// AEAD for one message with associated data: handshakes and cookies (WireGuard paper, section 5.4:
// AEAD and XAEAD), through libsodium. Transport packets go by bursts: crypto/aead.h.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace wirelay::crypto {

using Nonce96 = std::array<uint8_t, 12>;
using Nonce192 = std::array<uint8_t, 24>;

/// ChaCha20-Poly1305 (RFC 8439). `key` has 32 bytes; `sealed` has text.size() + 16 bytes and does
/// not overlap `text`.
void aead_seal(std::span<uint8_t> sealed, std::span<const uint8_t> text,
               std::span<const uint8_t> associated, const Nonce96& nonce,
               const uint8_t* key) noexcept;

/// False when `sealed` (text.size() + 16 bytes) is not authentic; `text` is then unspecified.
[[nodiscard]] bool aead_open(std::span<uint8_t> text, std::span<const uint8_t> sealed,
                             std::span<const uint8_t> associated, const Nonce96& nonce,
                             const uint8_t* key) noexcept;

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03); sizes as above.
void xaead_seal(std::span<uint8_t> sealed, std::span<const uint8_t> text,
                std::span<const uint8_t> associated, const Nonce192& nonce,
                const uint8_t* key) noexcept;

[[nodiscard]] bool xaead_open(std::span<uint8_t> text, std::span<const uint8_t> sealed,
                              std::span<const uint8_t> associated, const Nonce192& nonce,
                              const uint8_t* key) noexcept;

}  // namespace wirelay::crypto
