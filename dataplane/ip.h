// Addresses, prefixes and endpoints: one form for IPv4 and IPv6, so that one table holds both.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace wirelay::dataplane {

/// 16 bytes in network order; IPv4 stands as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). A packet that
/// carries such an address in an IPv6 header is dropped as a martian, so the two never mix.
struct IpAddr {
  std::array<uint8_t, 16> bytes{};

  static IpAddr v4(const void* four_bytes) noexcept {
    // Two whole words, as all readers read it.
    uint32_t four;
    std::memcpy(&four, four_bytes, sizeof four);
    const uint64_t low = uint64_t{four} << 32 | 0xffff0000;
    IpAddr a;
    std::memcpy(&a.bytes[8], &low, sizeof low);
    return a;
  }
  static IpAddr v6(const void* sixteen_bytes) noexcept {
    IpAddr a;
    std::memcpy(a.bytes.data(), sixteen_bytes, 16);
    return a;
  }
  [[nodiscard]] bool is_v4() const noexcept {
    return word(0) == 0 && static_cast<uint32_t>(word(1)) == 0xffff0000;
  }
  /// Its first or last eight bytes as they lie in memory. Comparisons read words because v4()
  /// wrote words: what is read in other pieces than it was written in waits for memory.
  [[nodiscard]] uint64_t word(unsigned i) const noexcept {
    uint64_t w;
    std::memcpy(&w, &bytes[i * sizeof w], sizeof w);
    return w;
  }
  /// The four bytes of an IPv4 address, in network order.
  [[nodiscard]] uint32_t v4_be() const noexcept {
    uint32_t v;
    std::memcpy(&v, &bytes[12], 4);
    return v;
  }
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;  // or IPv4 limited broadcast
  [[nodiscard]] bool is_link_local() const noexcept;
  auto operator<=>(const IpAddr&) const = default;
  bool operator==(const IpAddr& other) const noexcept {
    return ((word(0) ^ other.word(0)) | (word(1) ^ other.word(1))) == 0;
  }
};

/// "192.0.2.1" or "2001:db8::1"; nullopt for anything else, a mapped address among it.
std::optional<IpAddr> parse_ip(std::string_view text);
std::string to_string(const IpAddr& addr);

/// A prefix; `length` counts in the 128-bit form: an IPv4 /24 has length 120.
struct Prefix {
  IpAddr addr;  // bits behind `length` are zero
  uint8_t length = 0;

  [[nodiscard]] bool is_v4() const noexcept { return length >= 96 && addr.is_v4(); }
  [[nodiscard]] bool contains(const IpAddr& other) const noexcept;
  [[nodiscard]] bool overlaps(const Prefix& other) const noexcept;
  auto operator<=>(const Prefix&) const = default;
};

/// "10.0.0.0/24", "2001:db8::/32", or an address alone for a host; nullopt when malformed.
/// Host bits are cleared, as `wg` does.
std::optional<Prefix> parse_prefix(std::string_view text);
std::string to_string(const Prefix& prefix);
/// `addr` with all bits behind `length` (128-bit form) cleared.
IpAddr mask_to(const IpAddr& addr, uint8_t length) noexcept;

struct Endpoint {
  IpAddr addr;
  uint16_t port = 0;  // host order; 0 means unknown
  auto operator<=>(const Endpoint&) const = default;
};

/// "192.0.2.1:51820" or "[2001:db8::1]:51820".
std::optional<Endpoint> parse_endpoint(std::string_view text);
std::string to_string(const Endpoint& endpoint);

}  // namespace wirelay::dataplane
