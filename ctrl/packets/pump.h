// What workers hand up, handed on: punted packets and events to the protocol, to the neighbours and
// to NAT.
// ARP and neighbour discovery come first, then events, answers to handshakes that were computed
// elsewhere, handshakes (those that a flood has no part in before all others), and packets that
// wait. One turn is bounded in time, so that the API and the timers are served between turns.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "ctrl/nat/desk.h"
#include "ctrl/neighbour/neighbours.h"
#include "ctrl/packets/backlog.h"
#include "ctrl/protocol/protocol.h"
#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

class Pump {
 public:
  /// `nat`: null where workers have no NAT.
  Pump(dataplane::Shared& shared, Protocol& protocol, Neighbours& neighbours,
       NatDesk* nat = nullptr)
      : shared_(shared),
        protocol_(protocol),
        neighbours_(neighbours),
        nat_(nat),
        backlogs_(shared.mailboxes.size()) {}

  enum class Result : uint8_t {
    kIdle,  // nothing was there
    kDone,  // all that was there is done
    kMore,  // time ran out: call again soon
  };
  /// Serves all workers, a step at a time, until nothing is left or kTurn has passed.
  Result turn();

  /// All ARP and neighbour discovery, some events of all workers, some answers, and then a few
  /// handshakes of either kind and waiting packets of one worker, the next one's in the next step:
  /// a flood of them keeps nothing more urgent waiting for longer than these few take. Returns how
  /// many were served.
  unsigned step();

 private:
  static constexpr std::chrono::milliseconds kTurn{2};
  unsigned serve(dataplane::Ring<dataplane::Event>& events);
  unsigned serve(dataplane::Ring<dataplane::Punt>& punts, unsigned most);
  unsigned serve_handshakes(size_t worker);
  void hand_on(const dataplane::Punt& punt, const Now& now);

  dataplane::Shared& shared_;
  Protocol& protocol_;
  Neighbours& neighbours_;
  NatDesk* const nat_;
  std::vector<Backlog> backlogs_;  // of the workers' handshakes
  size_t next_ = 0;  // the worker whose handshakes and packets are served in the next step
};

/// The clocks, read once.
Now read_clocks();

}  // namespace wirelay::ctrl
