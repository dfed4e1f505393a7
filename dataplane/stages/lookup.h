// Where an address of each packet of a burst leads. Neighbouring packets often have the same: each
// run of them is looked up once.
#pragma once

#include "dataplane/burst.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

/// `address_of`: of an IP header. `targets`: one for each packet.
template <typename AddressOf>
void lookup_each(const Worker& worker, const Burst& burst, AddressOf address_of,
                 RouteTarget* targets) noexcept {
  IpAddr addresses[kBurstSize];
  RouteTarget found[kBurstSize];
  uint16_t run_of[kBurstSize];
  uint16_t runs = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const IpAddr address = address_of(rte_pktmbuf_mtod(burst.mbufs[i], const uint8_t*));
    if (runs == 0 || address != addresses[runs - 1]) addresses[runs++] = address;
    run_of[i] = static_cast<uint16_t>(runs - 1);
  }
  worker.shared.prefixes.lookup_burst({addresses, runs}, found);
  for (uint16_t i = 0; i < burst.count; ++i) targets[i] = found[run_of[i]];
}

}  // namespace wirelay::dataplane::stages
