// What routers say of the relay's own packets: that one did not fit a link (RFC 1191, RFC 8201).
// Anybody can send such a message; it is believed as far as it quotes what only those on the path
// have seen (protocol/paths.h).
#pragma once

#include <cstdint>
#include <optional>

#include <rte_mbuf.h>

#include "dataplane/ip.h"

namespace wirelay::ctrl {

/// Of a transport message of ours, by what is quoted of it.
struct PathReport {
  dataplane::Endpoint local, remote;  // its source and destination
  uint32_t receiver = 0;              // its receiver index: the peer's
  uint16_t mtu = 0;                   // what fits; at least 576, or 1,280 over IPv6
};

/// The ICMP "fragmentation needed" or ICMPv6 "packet too big" in a punted frame, which workers have
/// found by its type; nullopt when it is damaged, or quotes no transport message that was larger
/// than what it says fits.
std::optional<PathReport> parse_path_report(const rte_mbuf* frame) noexcept;

}  // namespace wirelay::ctrl
