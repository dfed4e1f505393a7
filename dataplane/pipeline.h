// THE order of the stages. A packet enters the first lane and runs through the stages of its lane,
// top to bottom; a stage may send it to a later lane, to the control thread, to the session's owner
// worker, or drop it under a name.
//
//   ingress ─┬─► inbound ───────────────┬─► forward ─┬─► local ────┬─► outbound ─► transmit
//            ├─► plain ─┬─────────────┘            ├─► nat_out ──│─────────────────▲
//            ├──────────┴─► nat_in ────┘            └─────────────┘                 │
//            └─► local (port addresses) ───────────────────────────────────────────┘
//
// From anywhere packets may go to the lanes in front of ingress, where stages make packets: errors,
// fragments, whole packets of fragments. Those go on from there in another round, and so do those
// that NAT sends back in.
#pragma once

#include <array>
#include <string_view>

#include "dataplane/burst.h"

namespace wirelay::dataplane {

class Worker;

namespace stages {
void error(Worker&, Burst&) noexcept;         // refused packet: the ICMP error for its sender
void fragment(Worker&, Burst&) noexcept;      // packet that is too big: its fragments
void reassemble(Worker&, Burst&) noexcept;    // fragments for the relay: the whole packet
void classify(Worker&, Burst&) noexcept;      // frame: what is it, and for whom
void session(Worker&, Burst&) noexcept;       // receiver index: session, owner, age
void open(Worker&, Burst&) noexcept;          // AEAD: decrypt and verify
void replay(Worker&, Burst&) noexcept;        // counter: new?  then believe: times, counts, roaming
void source(Worker&, Burst&) noexcept;        // inner packet: well-formed, from an allowed IP
void plain_source(Worker&, Burst&) noexcept;  // plain packet: not from an address of a peer or ours
void nat_in(Worker&, Burst&) noexcept;        // for a public address: the address inside
void route(Worker&, Burst&) noexcept;         // destination: peer, next hop or ourselves; TTL
void police_up(Worker&, Burst&) noexcept;     // the sender's limits
void echo(Worker&, Burst&) noexcept;          // ICMP echo to one of our addresses
void nat_out(Worker&, Burst&) noexcept;       // from a user: a public address and port
void fit(Worker&, Burst&) noexcept;           // path to the receiver: is there one, does it fit
void police_down(Worker&, Burst&) noexcept;   // the receiver's limits
void seal(Worker&, Burst&) noexcept;          // session, nonce, padding, AEAD, outer headers
void transmit(Worker&, Burst&) noexcept;      // link-layer header, the port's queue
}  // namespace stages

struct Stage {
  std::string_view name;
  Lane lane;
  void (*run)(Worker&, Burst&) noexcept;
};

inline constexpr std::array kPipeline = {
    Stage{"error", Lane::kError, stages::error},
    Stage{"fragment", Lane::kFragment, stages::fragment},
    Stage{"reassemble", Lane::kReassembly, stages::reassemble},
    Stage{"classify", Lane::kIngress, stages::classify},
    Stage{"session", Lane::kInbound, stages::session},
    Stage{"open", Lane::kInbound, stages::open},
    Stage{"replay", Lane::kInbound, stages::replay},
    Stage{"source", Lane::kInbound, stages::source},
    Stage{"plain_source", Lane::kPlain, stages::plain_source},
    Stage{"nat_in", Lane::kNatIn, stages::nat_in},
    Stage{"route", Lane::kForward, stages::route},
    Stage{"police_up", Lane::kForward, stages::police_up},
    Stage{"echo", Lane::kLocal, stages::echo},
    Stage{"nat_out", Lane::kNatOut, stages::nat_out},
    Stage{"fit", Lane::kOutbound, stages::fit},
    Stage{"police_down", Lane::kOutbound, stages::police_down},
    Stage{"seal", Lane::kOutbound, stages::seal},
    Stage{"transmit", Lane::kTransmit, stages::transmit},
};

/// Runs what stands in the ingress lane (and lanes filled by hand in tests) through all stages.
/// Afterwards all lanes are empty.
void run_pipeline(Worker& worker) noexcept;

}  // namespace wirelay::dataplane
