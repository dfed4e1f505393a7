// plain_source: a plain packet speaks neither for a peer nor for the relay. Whoever is on a port's
// network could otherwise have peers believe that their neighbours in the tunnel had sent it.
#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/lookup.h"

namespace wirelay::dataplane::stages {

void plain_source(Worker& worker, Burst& burst) noexcept {
  RouteTarget targets[kBurstSize];
  lookup_each(worker, burst, source_of, targets);
  for (uint16_t i = 0; i < burst.count; ++i) {
    const RouteKind kind = targets[i].kind();
    if (kind == RouteKind::kPeer || kind == RouteKind::kLocal) {
      burst.drop(i, Drop::kSpoofedSource);
    } else {
      burst.divert(i, Next::kForward);
    }
  }
}

}  // namespace wirelay::dataplane::stages
