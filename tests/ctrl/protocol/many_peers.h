// The protocol's parts with many peers, whose sessions are made without their handshakes.
#pragma once

#include <cstdint>
#include <memory>

#include "ctrl/packets/held_packets.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/initiator.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/sessions.h"
#include "ctrl/protocol/timers.h"
#include "ctrl/protocol/transport.h"
#include "tests/ctrl/protocol/lab.h"

namespace wirelay::test {

/// One side's.
struct Parts {
  explicit Parts(Side& side)
      : ctx{side.shared,
            side.sessions,
            side.peers,
            side,
            side.identity,
            std::make_shared<ctrl::PeerBook>(side.shared.peers.capacity()),
            {},
            side.now,
            {side.shared.users.capacity(), side.shared.peers.capacity()}} {}
  ctrl::Context ctx;
  ctrl::HeldPackets held{16, 4096};
  ctrl::Paths paths{ctx};
  ctrl::Presence presence{ctx};
  ctrl::Sessions sessions{ctx, paths, presence};
  ctrl::Handshakes handshakes{ctx};
  ctrl::Transport transport{ctx, sessions, held};
  ctrl::Admission admission{ctx, sessions, [](uint32_t) {}};
  ctrl::Initiator initiator{ctx, handshakes, sessions, admission, paths, held, transport};
  ctrl::Timers timers{ctx, sessions, presence, handshakes, initiator, held, transport};
};

/// With numbers from 0 on.
void add_peers(Parts& parts, uint32_t peers);

/// Each at its own time and in its own order, as real sessions lie in memory.
void connect_peers(Parts& parts, uint32_t peers);

}  // namespace wirelay::test
