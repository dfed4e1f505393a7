// Fragments of packets that are larger than what comes next takes (RFC 791, 3.2; RFC 8200, 4.5).
#pragma once

#include <cstdint>

#include <rte_ip.h>
#include <rte_mbuf.h>

#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

/// Routers fragment IPv4, where the sender has not forbidden it; IPv6 only its sender fragments.
/// `ip`: IPv4 or IPv6 header.
inline bool may_fragment(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 && (load_be16(ip + 6) & RTE_IPV4_HDR_DF_FLAG) == 0;
}

/// More than a packet of the largest buffer can become, at the smallest MTU of either family.
inline constexpr uint16_t kMostFragments = 32;

/// How many fragments of at most `mtu` bytes a packet (mbuf data at the IP header) becomes; 0 when
/// there is no way to cut it.
uint16_t count_fragments(const rte_mbuf* packet, uint16_t mtu) noexcept;

/// Copies a packet into as many buffers of `pool` as count_fragments() says, each with the
/// pool's headroom in front of its IP header, and the packet's port. The packet stays the
/// caller's. False when the pool has too few; then `out` holds nothing. `id`: an IPv6 packet's
/// identification, which the caller does not use again soon; an IPv4 packet has its own.
bool make_fragments(const rte_mbuf* packet, uint16_t mtu, uint32_t id, rte_mempool* pool,
                    rte_mbuf** out) noexcept;

}  // namespace wirelay::dataplane
