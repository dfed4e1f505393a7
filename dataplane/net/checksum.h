// The Internet checksum (RFC 1071), of headers and datagrams, and its update when a word changes.
#pragma once

#include <cstdint>

#include <rte_byteorder.h>
#include <rte_ip.h>

#include "dataplane/net/bytes.h"
#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

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

/// Writes it, options included.
inline void write_ipv4_checksum(uint8_t* ip) noexcept {
  store_as(ip + 10, uint16_t{0});
  uint64_t sum = ipv4_sum(ip);
  for (uint32_t i = 20; i < ipv4_header_bytes(ip); i += 4) sum += load_as<uint32_t>(ip + i);
  store_as(ip + 10, static_cast<uint16_t>(~fold_sum(sum)));
}

/// True when the sum of a UDP datagram of `bytes` bytes with its pseudo header is right, and for
/// one without a checksum (RFC 768; RFC 8200, 8.1). `ip`: IPv4 or IPv6 header.
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

}  // namespace wirelay::dataplane
