// THE order of the stages. A packet enters the first lane and runs through the stages of its lane,
// top to bottom; a stage may send it to a later lane, to the control thread, to the session's owner
// worker, or drop it under a name.
//
//   ingress ─┬─► inbound ─► forward ─┬─► local ─┬─► outbound ─► transmit
//            ├──────────────► plain ─┘          │                  ▲
//            └─► local (port addresses) ────────┴──────────────────┘
#pragma once

#include <array>
#include <string_view>

#include "dataplane/burst.h"

namespace wirelay::dataplane {

class Worker;

namespace stages {
void classify(Worker&, Burst&) noexcept;     // frame: what is it, and for whom
void session(Worker&, Burst&) noexcept;      // receiver index: session, owner, age
void open(Worker&, Burst&) noexcept;         // AEAD: decrypt and verify
void replay(Worker&, Burst&) noexcept;       // counter: new?  then believe: times, counts, roaming
void source(Worker&, Burst&) noexcept;       // inner packet: well-formed, from an allowed IP
void police_up(Worker&, Burst&) noexcept;    // the sender's limits
void route(Worker&, Burst&) noexcept;        // destination: peer, next hop or ourselves; TTL
void echo(Worker&, Burst&) noexcept;         // ICMP echo to one of our addresses
void police_down(Worker&, Burst&) noexcept;  // the receiver's limits
void seal(Worker&, Burst&) noexcept;         // session, nonce, padding, AEAD, outer headers
void transmit(Worker&, Burst&) noexcept;     // link-layer header, the port's queue
}  // namespace stages

struct Stage {
  std::string_view name;
  Lane lane;
  void (*run)(Worker&, Burst&) noexcept;
};

inline constexpr std::array kPipeline = {
    Stage{"classify", Lane::kIngress, stages::classify},
    Stage{"session", Lane::kInbound, stages::session},
    Stage{"open", Lane::kInbound, stages::open},
    Stage{"replay", Lane::kInbound, stages::replay},
    Stage{"source", Lane::kInbound, stages::source},
    Stage{"police_up", Lane::kInbound, stages::police_up},
    Stage{"route", Lane::kForward, stages::route},
    Stage{"echo", Lane::kLocal, stages::echo},
    Stage{"police_down", Lane::kOutbound, stages::police_down},
    Stage{"seal", Lane::kOutbound, stages::seal},
    Stage{"transmit", Lane::kTransmit, stages::transmit},
};

/// Runs what stands in the ingress lane (and lanes filled by hand in tests) through all stages.
/// Afterwards all lanes are empty.
void run_pipeline(Worker& worker) noexcept;

}  // namespace wirelay::dataplane
