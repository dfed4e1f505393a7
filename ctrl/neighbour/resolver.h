// The life of a neighbour: asked for, resolved, asked again before it grows stale, forgotten.
//
//   idle ──wanted──► asking ──answer──► resolved ──30 s──► probing ──answer──► resolved
//     ▲                │ no answer                           │ no answer
//     └────────────────┴◄────────────── asking ◄─────────────┤
//                                                            └─ a gateway ─► silent ──answer──►
//                                                            resolved
//
// A gateway that falls silent is sent to as before while everybody is asked for it: it may only be
// busy, and without it all traffic would end. Others that are given up are asked for when a packet
// wants them again.
#pragma once

#include <cstdint>
#include <functional>

#include "ctrl/neighbour/message.h"
#include "ctrl/neighbour/neighbours.h"
#include "ctrl/neighbour/routes.h"
#include "ctrl/neighbour/table.h"
#include "ctrl/packets/held_packets.h"
#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

class Resolver {
 public:
  Resolver(dataplane::Shared& shared, NeighbourTable& table, Routes& routes,
           NeighbourCounters& counters);

  /// `hear` is told of a gateway that does not answer, or answers again.
  using OnGateway = std::function<void(const Neighbour& gateway, bool answers)>;
  void watch_gateways(OnGateway hear) { on_gateway_ = std::move(hear); }

  void set_time(uint64_t now_ns) noexcept { now_ns_ = now_ns; }

  /// The entry for a host, a new one if need be. nullopt when the port's share of the table is full
  /// of entries that are needed.
  std::optional<uint16_t> find_or_add(uint16_t port, const dataplane::IpAddr& addr);
  /// The same for a host that only told us of itself: the first to go when room is needed.
  std::optional<uint16_t> find_or_note(uint16_t port, const dataplane::IpAddr& addr);
  /// Sends an IP packet, or keeps it until the neighbour is resolved. Owns the mbuf.
  void send(rte_mbuf* packet, uint16_t number);
  /// Hands a complete frame to a worker that has a queue on every port. Owns the mbuf.
  void transmit(rte_mbuf* frame);
  /// The neighbour is needed: asks for it unless that is being done.
  void want(uint16_t number);
  /// The neighbour has told its address.
  void learn(uint16_t number, const NeighbourMessage& message);
  /// Asks, refreshes and forgets what is due, in the next tenth of the table.
  void tick();

 private:
  void check(uint16_t number);
  void ask(uint16_t number);
  void resolve(uint16_t number, const rte_ether_addr& mac);
  void unanswered(uint16_t number);
  void give_up(uint16_t number);
  void answers(uint16_t number, bool yes);
  void refuse(rte_mbuf* packet, uint16_t number);
  void refresh(uint16_t number);
  void forget(uint16_t number);
  void make_room(uint16_t port);
  [[nodiscard]] bool may_go(uint16_t number);
  [[nodiscard]] bool goes_before(const Neighbour& a, const Neighbour& b) const noexcept;

  dataplane::Shared& shared_;
  NeighbourTable& table_;
  Routes& routes_;
  NeighbourCounters& counters_;
  OnGateway on_gateway_;
  HeldPackets waiting_;  // IP packets, by adjacency number
  uint64_t now_ns_ = 0;
  uint16_t next_ = 0;  // where tick() goes on
  uint16_t hand_ = 0;  // where make_room() goes on
};

}  // namespace wirelay::ctrl
