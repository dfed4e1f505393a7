// Handshake messages between frames and bytes: what came in, and what goes out. And where a packet
// goes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/ip.h"
#include "dataplane/tables/peer.h"

namespace wirelay::ctrl {

/// A UDP datagram within a punted frame. `message` lies in the mbuf and lives as long.
struct Datagram {
  dataplane::Endpoint remote, local;  // outer source and destination
  uint16_t port = 0;                  // DPDK port it came in by
  uint8_t worker = 0;                 // that punted it
  std::span<const uint8_t> message;
};

/// Workers have checked the frame (stage classify); this only finds its parts, and gives nullopt
/// for what does not fit the buffer after all.
std::optional<Datagram> parse_frame(const rte_mbuf* frame, uint8_t worker) noexcept;

/// The destination of an IP packet, which begins the buffer; nullopt when it has no whole header.
std::optional<dataplane::IpAddr> destination_of(const rte_mbuf* packet) noexcept;

/// Traffic class of what shakes hands: DSCP AF41 (RFC 2597) and no ECN, as the Linux kernel's. Its
/// cookie replies have none.
inline constexpr uint8_t kHandshakeClass = 0x88, kNoClass = 0;

/// `message` as an IP packet along `path`, lengths and checksums final, with room in front for the
/// Ethernet header. Null when the pool is empty.
rte_mbuf* make_datagram(rte_mempool* pool, const dataplane::PeerPath& path,
                        std::span<const uint8_t> message, uint8_t traffic_class) noexcept;

/// The bytes that a cookie is bound to: address and port (paper, section 5.4.7).
using SourceBytes = std::array<uint8_t, 18>;
SourceBytes source_bytes(const dataplane::Endpoint& remote) noexcept;

}  // namespace wirelay::ctrl
