// IPv6 neighbour discovery between hosts (RFC 4861, 4.3, 4.4 and 7): solicitations and
// advertisements. Router discovery and redirects are not for us.
#pragma once

#include "ctrl/neighbour/message.h"

namespace wirelay::ctrl {

/// The group that solicitations of an address are sent to (RFC 4291, 2.7.1).
dataplane::IpAddr solicited_node(const dataplane::IpAddr& addr) noexcept;

/// Of an IPv6 group (RFC 2464, section 7).
rte_ether_addr multicast_mac(const dataplane::IpAddr& group) noexcept;

/// nullopt for anything but a solicitation or advertisement that passes the checks of RFC 4861,
/// 7.1.1 and 7.1.2.
std::optional<NeighbourMessage> parse_nd(const rte_mbuf* frame) noexcept;

/// A solicitation for `target`: to its solicited-node multicast address, or to `to` alone when it
/// is only asked whether it is still there.
rte_mbuf* make_solicitation(rte_mempool* pool, const dataplane::Port& port,
                            const dataplane::IpAddr& source, const dataplane::IpAddr& target,
                            const rte_ether_addr* to) noexcept;

/// The advertisement of our address `ours` to who asked; to all nodes when the question has no
/// source: a duplicate address probe, or nobody's.
rte_mbuf* make_advertisement(rte_mempool* pool, const dataplane::Port& port,
                             const dataplane::IpAddr& ours,
                             const NeighbourMessage& question) noexcept;

}  // namespace wirelay::ctrl
