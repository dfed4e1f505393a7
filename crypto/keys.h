// Keys: X25519 (RFC 7748) through libsodium, their text form, and memory that forgets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wirelay::crypto {

using Bytes32 = std::array<uint8_t, 32>;
using PublicKey = Bytes32;

/// Overwrites memory; never optimised away.
void wipe(void* memory, size_t bytes) noexcept;

/// Equal in constant time.
bool equal(std::span<const uint8_t> a, std::span<const uint8_t> b) noexcept;

/// 32 secret bytes (private key, preshared key, chaining key, transport key), wiped when they go.
class Secret {
 public:
  Secret() noexcept : bytes_{} {}
  explicit Secret(const Bytes32& bytes) noexcept : bytes_(bytes) {}
  Secret(const Secret&) noexcept = default;
  Secret& operator=(const Secret&) noexcept = default;
  ~Secret() { wipe(bytes_.data(), bytes_.size()); }

  [[nodiscard]] const uint8_t* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] uint8_t* data() noexcept { return bytes_.data(); }
  [[nodiscard]] static constexpr size_t size() noexcept { return 32; }
  [[nodiscard]] const Bytes32& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_zero() const noexcept;
  void clear() noexcept { wipe(bytes_.data(), bytes_.size()); }

 private:
  Bytes32 bytes_;
};

/// A fresh private key, clamped as RFC 7748 section 5 asks.
Secret generate_private_key();
/// As many, with randomness fetched once.
void generate_private_keys(std::span<Secret> keys);
/// 32 random bytes for a preshared key.
Secret generate_preshared_key();
PublicKey derive_public_key(const Secret& private_key) noexcept;

/// X25519. False when the result is all zeros (a low-order point): the caller must refuse it.
[[nodiscard]] bool x25519(Secret& out, const Secret& private_key, const PublicKey& peer) noexcept;

/// 32 bytes from exactly 44 characters of base64, as `wg` writes keys; nullopt for anything else.
std::optional<Bytes32> parse_base64_key(std::string_view text) noexcept;
std::string to_base64(const Bytes32& key);

/// Must be called once before anything else of this layer; throws when libsodium cannot start.
void init_crypto();

void random_bytes(std::span<uint8_t> out) noexcept;
uint32_t random_u32() noexcept;

}  // namespace wirelay::crypto
