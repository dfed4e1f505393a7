// What ARP and neighbour discovery count. Written by the control thread.
#pragma once

#include <array>
#include <cstdint>

#include "ctrl/base/counter_field.h"

namespace wirelay::ctrl {

struct NeighbourCounters {
  uint64_t asked = 0, answered = 0, announced = 0, moved = 0, conflicts = 0, malformed = 0;
  uint64_t held_dropped = 0, no_route = 0, table_full = 0, transmit_full = 0, no_memory = 0;
};

inline constexpr std::array kNeighbourCounters = [] {
  using C = NeighbourCounters;
  return std::array{
      CounterField{"asked", "ARP requests and solicitations that the relay sent", &C::asked},
      CounterField{"answered", "those of others that it answered", &C::answered},
      CounterField{"announced",
                   "ARP and neighbour announcements and listener reports that the relay sent",
                   &C::announced},
      CounterField{"moved", "neighbours that changed their link-layer address", &C::moved},
      CounterField{"conflicts", "messages of others that claim an address or the MAC of the relay",
                   &C::conflicts},
      CounterField{"malformed", "ARP and neighbour discovery that fails the RFCs' checks",
                   &C::malformed},
      CounterField{"held_dropped",
                   "packets that were too many to wait for their next hop, or for their senders to "
                   "be told that it does not answer",
                   &C::held_dropped},
      CounterField{"no_route",
                   "packets for a host that cannot be on the port's networks, or whose next hop "
                   "was forgotten on the way",
                   &C::no_route},
      CounterField{"table_full", "neighbours without room in their port's share, and their packets",
                   &C::table_full},
      CounterField{"transmit_full", "frames that found a worker's ring full", &C::transmit_full},
      CounterField{"no_memory", "frames that found no free buffer", &C::no_memory},
  };
}();
static_assert(complete(kNeighbourCounters));

}  // namespace wirelay::ctrl
