// What the relay does with TCP: it lowers the segment size that a connection begins with to what
// the way takes, and resets connections to itself, where nothing listens (RFC 9293).
#pragma once

#include <cstdint>

#include <netinet/in.h>

#include <rte_mbuf.h>

#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

/// TCP directly behind the IPv4 or IPv6 header, which is whole.
inline bool is_tcp(const uint8_t* ip) noexcept {
  return (ip_version(ip) == 4 ? ip[9] : ip[6]) == IPPROTO_TCP;
}

/// Of a packet that is_tcp(): lowers the largest segment that a SYN asks for, so that packets of
/// the answering side are no larger than `mtu` with their IP and TCP headers, and corrects the
/// checksum. Other packets, and SYNs without the option, stay as they are. `bytes`: of the packet.
void clamp_mss(uint8_t* ip, uint32_t bytes, uint16_t mtu) noexcept;

/// Turns a segment (mbuf data at the IP header) into the reset that answers it (RFC 9293,
/// 3.10.7.1). False for what has none: resets, fragments, damaged ones; then it is as it was.
bool make_reset(rte_mbuf* packet) noexcept;

}  // namespace wirelay::dataplane
