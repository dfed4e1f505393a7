// Answers that workers make of packets in place: where they go, and from which of our addresses.
#pragma once

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/ip.h"

namespace wirelay::dataplane {

class Worker;

namespace stages {

/// Of a packet that a port received: its data begins at the IP header, and the Ethernet header,
/// which was taken off, still stands in front of that.
rte_ether_addr link_sender(const rte_mbuf* packet) noexcept;

/// Sends an IP packet out by the port it came in by, to `to`: that is the sender of the question or
/// its router. It is known without a lookup, and the answer needs no route of ours. False when the
/// buffer has no room in front. Owns the mbuf where it is true.
bool send_back(Worker& worker, rte_mbuf* packet, const rte_ether_addr& to) noexcept;

/// Our address that answers in the packet's family; null when we have none. `tunnelled`: it goes
/// into a tunnel.
const IpAddr* own_address(const Worker& worker, const rte_mbuf* packet, bool tunnelled) noexcept;

}  // namespace stages
}  // namespace wirelay::dataplane
