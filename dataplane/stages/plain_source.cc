// plain_source: a plain packet speaks neither for a peer nor for the relay. Whoever is on a port's
// network could otherwise have peers believe that their neighbours in the tunnel had sent it. Only
// packets whose source may be such an address come here (tables/inside_filter.h).
#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

void plain_source(Worker& worker, Burst& burst) noexcept {
  IpAddr sources[kBurstSize];
  RouteTarget targets[kBurstSize];
  for (uint16_t i = 0; i < burst.count; ++i) {
    sources[i] = source_of(rte_pktmbuf_mtod(burst.mbufs[i], const uint8_t*));
  }
  worker.shared.prefixes.lookup_burst({sources, burst.count}, targets);
  for (uint16_t i = 0; i < burst.count; ++i) {
    const RouteKind kind = targets[i].kind();
    if (kind == RouteKind::kPeer || kind == RouteKind::kLocal || kind == RouteKind::kPublic) {
      burst.drop(i, Drop::kSpoofedSource);
    } else {
      burst.divert(i, burst.meta[i].onward);
    }
  }
}

}  // namespace wirelay::dataplane::stages
