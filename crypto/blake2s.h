// BLAKE2s (RFC 7693) through libb2, and what WireGuard builds on it (paper, section 5.4):
// HASH, MAC (keyed BLAKE2s), HMAC and the KDF of one, two and three outputs.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "crypto/keys.h"

namespace wirelay::crypto {

using ConstBytes = std::span<const uint8_t>;

/// HASH(a || b || ...)
Bytes32 blake2s(std::initializer_list<ConstBytes> parts) noexcept;

/// Keyed BLAKE2s with a 16-byte output; `key` has 1 to 32 bytes.
std::array<uint8_t, 16> blake2s_mac(ConstBytes key, std::initializer_list<ConstBytes> parts) noexcept;

/// HMAC-BLAKE2s (RFC 2104), 32 bytes; `key` of any length up to 64 bytes.
Bytes32 hmac_blake2s(ConstBytes key, std::initializer_list<ConstBytes> parts) noexcept;

/// KDF_n(key, input), HKDF (RFC 5869) over HMAC-BLAKE2s; writes outputs.size() (1 to 3) secrets.
/// An output may be the object that `key` views.
void kdf(std::initializer_list<Secret*> outputs, ConstBytes key, ConstBytes input) noexcept;

}  // namespace wirelay::crypto
