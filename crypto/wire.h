// WireGuard's messages as they stand on the wire (paper, sections 5.4.2 to 5.4.7).
// All integers are little-endian; structures are byte arrays so that any alignment is valid.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace wirelay::crypto {

static_assert(std::endian::native == std::endian::little, "wire integers are read as they stand");

enum class MessageType : uint8_t {
  kInitiation = 1,
  kResponse = 2,
  kCookieReply = 3,
  kTransport = 4,
};

struct MessageHeader {
  uint8_t type;
  uint8_t reserved[3];  // zero
};

struct MacTrailer {
  uint8_t mac1[16];
  uint8_t mac2[16];
};

struct MessageInitiation {
  MessageHeader header;
  uint8_t sender[4];
  uint8_t ephemeral[32];
  uint8_t sealed_static[32 + 16];
  uint8_t sealed_timestamp[12 + 16];
  MacTrailer macs;
};
static_assert(sizeof(MessageInitiation) == 148);

struct MessageResponse {
  MessageHeader header;
  uint8_t sender[4];
  uint8_t receiver[4];
  uint8_t ephemeral[32];
  uint8_t sealed_nothing[16];
  MacTrailer macs;
};
static_assert(sizeof(MessageResponse) == 92);

struct MessageCookieReply {
  MessageHeader header;
  uint8_t receiver[4];
  uint8_t nonce[24];
  uint8_t sealed_cookie[16 + 16];
};
static_assert(sizeof(MessageCookieReply) == 64);

/// The head of a transport message; sealed text and tag follow.
struct MessageTransport {
  MessageHeader header;
  uint8_t receiver[4];
  uint8_t counter[8];
};
static_assert(sizeof(MessageTransport) == 16);

inline uint32_t load_le32(const uint8_t* p) noexcept {
  uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline uint64_t load_le64(const uint8_t* p) noexcept {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store_le32(uint8_t* p, uint32_t v) noexcept { std::memcpy(p, &v, sizeof v); }
inline void store_le64(uint8_t* p, uint64_t v) noexcept { std::memcpy(p, &v, sizeof v); }

/// Protocol constants, in seconds or messages (paper, section 6.1).
inline constexpr uint64_t kRekeyAfterMessages = uint64_t{1} << 60;
inline constexpr uint64_t kRejectAfterMessages = UINT64_MAX - (uint64_t{1} << 13);
inline constexpr uint32_t kRekeyAfterTime = 120;
inline constexpr uint32_t kRejectAfterTime = 180;
inline constexpr uint32_t kRekeyTimeout = 5;
inline constexpr uint32_t kKeepaliveTimeout = 10;
inline constexpr uint32_t kCookieRefreshTime = 120;

}  // namespace wirelay::crypto
