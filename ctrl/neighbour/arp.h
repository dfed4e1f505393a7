// ARP for IPv4 over Ethernet (RFC 826; probes of RFC 5227 are answered).
#pragma once

#include "ctrl/neighbour/message.h"

namespace wirelay::ctrl {

/// nullopt for anything but a well-formed request or reply from a possible sender. The frame's own
/// source may be another, as Linux allows it: access points and failover pairs answer for others.
std::optional<NeighbourMessage> parse_arp(const rte_mbuf* frame) noexcept;

/// "Who has `target`? Tell `source`", to everybody, or to `to` alone when it is only asked whether
/// it is still there.
rte_mbuf* make_arp_request(rte_mempool* pool, const dataplane::Port& port,
                           const dataplane::IpAddr& source, const dataplane::IpAddr& target,
                           const rte_ether_addr* to) noexcept;

/// "`ours` is at the port's address", to who asked.
rte_mbuf* make_arp_reply(rte_mempool* pool, const dataplane::Port& port,
                         const dataplane::IpAddr& ours, const NeighbourMessage& question) noexcept;

}  // namespace wirelay::ctrl
