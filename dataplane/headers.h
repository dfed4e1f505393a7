// What several stages ask of IP headers: is an address possible, is a checksum right.
// All of it inline: it runs for every packet.
#pragma once

#include <cstdint>
#include <cstring>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "dataplane/drops.h"
#include "dataplane/ip.h"

namespace wirelay::dataplane {

template <typename T>
inline T load_as(const void* p) noexcept {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <typename T>
inline void store_as(void* p, T v) noexcept {
  std::memcpy(p, &v, sizeof v);
}
inline uint16_t load_be16(const void* p) noexcept { return rte_be_to_cpu_16(load_as<uint16_t>(p)); }

inline uint8_t ip_version(const uint8_t* ip) noexcept { return ip[0] >> 4; }
inline uint32_t ipv4_header_bytes(const uint8_t* ip) noexcept { return (ip[0] & 0x0fu) * 4; }

/// `ip`: IPv4 or IPv6 header.
inline IpAddr destination_of(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 ? IpAddr::v4(ip + 16) : IpAddr::v6(ip + 24);
}

/// Ones' complement sum of the first 20 bytes, not folded; more words may be added (RFC 1071).
inline uint64_t ipv4_sum(const uint8_t* ip) noexcept {
  return uint64_t{load_as<uint32_t>(ip)} + load_as<uint32_t>(ip + 4) + load_as<uint32_t>(ip + 8) +
         load_as<uint32_t>(ip + 12) + load_as<uint32_t>(ip + 16);
}

inline uint16_t fold_sum(uint64_t sum) noexcept {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// True when the header's ones' complement sum is right (RFC 1071). The caller has checked that
/// the header is there.
inline bool ipv4_checksum_ok(const uint8_t* ip) noexcept {
  uint64_t sum = ipv4_sum(ip);
  for (uint32_t i = 20; i < ipv4_header_bytes(ip); i += 4) sum += load_as<uint32_t>(ip + i);
  return fold_sum(sum) == 0xffff;
}

/// The same for a UDP datagram of `bytes` bytes with its pseudo header (RFC 768; RFC 8200, 8.1);
/// true for one without a checksum. `ip`: IPv4 or IPv6 header.
inline bool udp_checksum_ok(const uint8_t* ip, const uint8_t* udp, uint32_t bytes) noexcept {
  if (load_as<uint16_t>(udp + 6) == 0) return true;
  const bool v4 = ip_version(ip) == 4;
  const uint64_t addresses = v4 ? rte_raw_cksum(ip + 12, 8) : rte_raw_cksum(ip + 8, 32);
  const uint64_t length_and_protocol = rte_cpu_to_be_32(bytes) + uint64_t{RTE_BE32(IPPROTO_UDP)};
  return fold_sum(addresses + length_and_protocol + rte_raw_cksum(udp, bytes)) == 0xffff;
}

/// Updates a checksum for a 16-bit word that changed; all three in network order (RFC 1624, eqn 3).
inline uint16_t adjust_checksum(uint16_t checksum, uint16_t before, uint16_t after) noexcept {
  uint32_t sum =
      static_cast<uint16_t>(~checksum) + static_cast<uint16_t>(~before) + uint32_t{after};
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

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

/// Why a packet to this destination is not forwarded, or Drop::kCount. `ip`: IPv4 or IPv6 header.
inline Drop bad_destination(const uint8_t* ip) noexcept {
  if (ip_version(ip) == 4) {
    const uint8_t first = ip[16];
    if (first >= 224) return Drop::kNotForUs;
    return first == 0 || first == 127 ? Drop::kMartian : Drop::kCount;
  }
  if (ip[24] == 0xff) return Drop::kNotForUs;
  return reserved6(ip + 24) ? Drop::kMartian : Drop::kCount;
}

}  // namespace wirelay::dataplane
