// What ARP and IPv6 neighbour discovery have in common: a question who has an address, and the
// statement that somebody has it.
#pragma once

#include <cstdint>
#include <optional>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/ip.h"
#include "dataplane/port.h"

namespace wirelay::ctrl {

/// A valid message as it came in by a port.
struct NeighbourMessage {
  bool question = false;              // ARP request, neighbour solicitation
  dataplane::IpAddr target;           // question: who has this address?
  dataplane::IpAddr subject;          // has `mac`: who asks, or who answers; may be unspecified
  std::optional<rte_ether_addr> mac;  // absent when the message does not say
  bool solicited = false;             // answer: to a question of ours
  bool replaces = true;               // even if another link-layer address was known
  rte_ether_addr from{};              // Ethernet source
};

/// A frame of `bytes` in a new buffer, its Ethernet header filled in and the rest zero. Null when
/// the pool is empty.
rte_mbuf* make_frame(rte_mempool* pool, const dataplane::Port& port, const rte_ether_addr& to,
                     uint16_t ether_type, uint16_t bytes) noexcept;

}  // namespace wirelay::ctrl
