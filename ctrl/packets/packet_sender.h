// How the control thread sends packets: what the protocol asks of the neighbours.
#pragma once

#include <cstdint>
#include <optional>

#include <rte_mbuf.h>

#include "dataplane/ip.h"

namespace wirelay::ctrl {

/// ctrl/neighbour/neighbours.h implements it.
class PacketSender {
 public:
  virtual ~PacketSender() = default;
  /// Takes an IP packet (mbuf data at its IP header) to `adjacency` of `port`: through a worker's
  /// transmit ring when the next hop is resolved, held until then otherwise. Owns the mbuf.
  virtual void send(rte_mbuf* packet, uint16_t port, uint16_t adjacency) = 0;
  /// The next hop from our address `local` to `remote`, adding an adjacency when there is none.
  /// `port`: where the peer was heard, when it was. nullopt when no port leads there; `local` is
  /// filled in when it was unspecified.
  struct Hop {
    uint16_t port, adjacency, mtu;
    dataplane::IpAddr local;
  };
  virtual std::optional<Hop> route(const dataplane::IpAddr& remote, const dataplane::IpAddr* local,
                                   const uint16_t* port) = 0;
  /// A peer's path leads over `adjacency`: its number is not given to another host until as many
  /// release() calls have come as hold() calls.
  virtual void hold(uint16_t adjacency) = 0;
  virtual void release(uint16_t adjacency) = 0;
};

}  // namespace wirelay::ctrl
