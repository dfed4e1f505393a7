// Telling a port's networks of the addresses that the relay has there: when the port comes up, and
// when a switch asks who listens. A machine that takes another's place is found at once, not when
// the router's memory of the other has run out.
#pragma once

#include <cstdint>
#include <vector>

#include "ctrl/neighbour/counters.h"
#include "ctrl/neighbour/mld.h"
#include "ctrl/neighbour/resolver.h"
#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

/// Times are monotonic nanoseconds.
class Announcer {
 public:
  Announcer(dataplane::Shared& shared, Resolver& resolver, NeighbourCounters& counters);

  /// The port has a link: from the next tick() on its addresses are announced (ARP: RFC 5227, 2.3;
  /// RFC 4861, 7.2.6) and their groups reported (RFC 3810, 6.1), twice.
  void announce(uint16_t port, uint64_t now_ns);
  /// Asked who listens: is answered within `delay_ms`, once for all that ask meanwhile.
  void asked(uint16_t port, uint32_t delay_ms, uint64_t now_ns);
  void tick(uint64_t now_ns);

 private:
  struct Plan {
    unsigned rounds = 0;     // of announcements that are left
    uint64_t round_ns = 0;   // when the next is due
    uint64_t report_ns = 0;  // when an answer is due; 0: nobody has asked
  };
  void tell(const dataplane::Port& port);
  void tell_pools(const dataplane::Port& port);
  void report(const dataplane::Port& port, ListenerRecord record);
  void send(rte_mbuf* frame);

  dataplane::Shared& shared_;
  Resolver& resolver_;
  NeighbourCounters& counters_;
  std::vector<Plan> plans_;  // by DPDK port number
};

}  // namespace wirelay::ctrl
