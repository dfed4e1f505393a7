// Congestion marks across the tunnel (RFC 6040): the ECN field goes out with the outer header, and
// what routers outside have made of it comes back in. Inline: it runs for every packet.
#pragma once

#include <cstdint>

#include "dataplane/net/bytes.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

/// Values of the field (RFC 3168, section 5).
inline constexpr uint8_t kNotEct = 0, kEct1 = 1, kEct0 = 2, kCongestion = 3;
inline constexpr uint8_t kEcnMask = 3;

/// `ip`: IPv4 or IPv6 header.
inline uint8_t ecn_of(const uint8_t* ip) noexcept {
  return static_cast<uint8_t>(ip[1] >> (ip_version(ip) == 4 ? 0 : 4)) & kEcnMask;
}

inline void set_ecn(uint8_t* ip, uint8_t ecn) noexcept {
  if (ip_version(ip) == 6) {
    ip[1] = static_cast<uint8_t>((ip[1] & ~(kEcnMask << 4)) | ecn << 4);
    return;
  }
  const auto before = load_as<uint16_t>(ip);
  ip[1] = static_cast<uint8_t>((ip[1] & ~kEcnMask) | ecn);
  store_as(ip + 10, adjust_checksum(load_as<uint16_t>(ip + 10), before, load_as<uint16_t>(ip)));
}

/// Carries a mark from the outer header over to the inner one (RFC 6040, section 4.2). An inner
/// packet of a transport that knows no marks passes unmarked, where the RFC would drop it when it
/// met congestion: as in the Linux kernel.
inline void take_in_mark(const uint8_t* outer, uint8_t* inner) noexcept {
  const uint8_t mark = ecn_of(outer);
  if ((mark & 1) == 0) [[likely]]
    return;  // not one that a router sets
  const uint8_t sent = ecn_of(inner);
  if (mark == kCongestion ? sent != kNotEct : sent == kEct0) set_ecn(inner, mark);
}

}  // namespace wirelay::dataplane
