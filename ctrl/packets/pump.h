// What workers hand up, handed on: punted packets and events to the protocol and to the neighbours.
// One turn is bounded in time, so that the API and the timers are served between turns.
#pragma once

#include <cstdint>

#include "ctrl/neighbour/neighbours.h"
#include "ctrl/protocol/protocol.h"
#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

class Pump {
 public:
  Pump(dataplane::Shared& shared, Protocol& protocol, Neighbours& neighbours)
      : shared_(shared), protocol_(protocol), neighbours_(neighbours) {}

  enum class Result : uint8_t {
    kIdle,  // nothing was there
    kDone,  // all that was there is done
    kMore,  // time ran out: call again soon
  };
  /// Serves all workers in turn, a few items each, until nothing is left or kTurnNs have passed.
  Result turn();

 private:
  static constexpr uint64_t kTurnNs = 2'000'000;
  unsigned serve(dataplane::Mailbox& mailbox);
  void hand_on(const dataplane::Punt& punt, const Now& now);

  dataplane::Shared& shared_;
  Protocol& protocol_;
  Neighbours& neighbours_;
  size_t next_ = 0;  // the worker that is served first, so that none is always last
};

/// The clocks, read once.
Now read_clocks();

}  // namespace wirelay::ctrl
