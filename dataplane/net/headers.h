// What several stages ask of IP headers: whose packet, how long, is an address possible.
// All of it inline: it runs for every packet.
#pragma once

#include <cstdint>

#include <rte_byteorder.h>

#include "dataplane/drops.h"
#include "dataplane/ip.h"
#include "dataplane/net/bytes.h"

namespace wirelay::dataplane {

inline uint8_t ip_version(const uint8_t* ip) noexcept { return ip[0] >> 4; }
inline uint32_t ipv4_header_bytes(const uint8_t* ip) noexcept { return (ip[0] & 0x0fu) * 4; }

/// Part of a packet, by the IPv4 or IPv6 header; of IPv6 only where the fragment header is the
/// first behind it.
inline bool is_fragment(const uint8_t* ip) noexcept {
  constexpr uint16_t kMoreOrOffset = 0x3fff;
  constexpr uint8_t kFragmentHeader = 44;
  return ip_version(ip) == 4 ? (load_be16(ip + 6) & kMoreOrOffset) != 0 : ip[6] == kFragmentHeader;
}

inline constexpr uint8_t kTtl = 64;  // of packets that the relay makes

/// IPv6: more headers follow, of options, routing or a fragment (RFC 8200, section 4).
inline bool is_extension(uint8_t next_header) noexcept {
  constexpr uint8_t kOptions = 0, kRouting = 43, kFragmentHeader = 44, kDestination = 60;
  return next_header == kOptions || next_header == kRouting || next_header == kFragmentHeader ||
         next_header == kDestination;
}

/// `ip`: IPv4 or IPv6 header.
inline IpAddr destination_of(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 ? IpAddr::v4(ip + 16) : IpAddr::v6(ip + 24);
}

/// `ip`: IPv4 or IPv6 header.
inline IpAddr source_of(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 ? IpAddr::v4(ip + 12) : IpAddr::v6(ip + 8);
}

/// An IPv4 address, or the IPv6 network of 64 bits that one host may have for itself.
inline uint64_t network_of(const IpAddr& addr) noexcept { return addr.word(addr.is_v4() ? 1 : 0); }

/// A number that tells addresses apart, for what is shared out among them.
inline uint64_t party_of(const IpAddr& addr) noexcept { return addr.word(0) ^ addr.word(1); }

/// Never a source: 0/8, 127/8, multicast and above (RFC 1812, 5.3.7). `ip`: IPv4 header.
inline bool martian_source4(const uint8_t* ip) noexcept {
  const uint8_t first = ip[12];
  return first == 0 || first == 127 || first >= 224;
}

/// ::/96, which holds the unspecified and the loopback address, and mapped IPv4 (RFC 4291, 2.5).
inline bool reserved6(const uint8_t* addr) noexcept {
  if (load_as<uint64_t>(addr) != 0) return false;
  const uint32_t third = load_as<uint32_t>(addr + 8);
  return third == 0 || third == RTE_BE32(0x0000ffff);
}

/// Never a source: reserved and multicast. `ip`: IPv6 header.
inline bool martian_source6(const uint8_t* ip) noexcept {
  return ip[8] == 0xff || reserved6(ip + 8);
}

/// Why a packet to this destination is not forwarded, or Drop::kNone: groups, impossible addresses,
/// and link-local ones, 169.254/16 and fe80::/10 (RFC 3927, 2.7; RFC 4291, 2.5.6). `ip`: IPv4 or
/// IPv6 header.
inline Drop bad_destination(const uint8_t* ip) noexcept {
  if (ip_version(ip) == 4) {
    const uint8_t first = ip[16];
    if (first >= 224) return Drop::kNotForUs;
    if (first == 169 && ip[17] == 254) return Drop::kLinkLocal;
    return first == 0 || first == 127 ? Drop::kMartian : Drop::kNone;
  }
  if (ip[24] == 0xff) return Drop::kNotForUs;
  if (ip[24] == 0xfe && (ip[25] & 0xc0) == 0x80) return Drop::kLinkLocal;
  return reserved6(ip + 24) ? Drop::kMartian : Drop::kNone;
}

}  // namespace wirelay::dataplane
