// Our side of handshakes that we begin: initiations, their retransmission, and the response
// (WireGuard paper, sections 5.4.2, 5.4.3 and 6.4).
#pragma once

#include <cstdint>

#include "ctrl/packets/datagram.h"
#include "ctrl/packets/held_packets.h"
#include "ctrl/protocol/admission.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/sessions.h"
#include "ctrl/protocol/transport.h"

namespace wirelay::ctrl {

class Initiator {
 public:
  Initiator(Context& ctx, Handshakes& handshakes, Sessions& sessions, Admission& admission,
            Paths& paths, HeldPackets& held, Transport& transport);

  /// Sends an initiation unless a session is sought already, the last handshake message is younger
  /// than 5 s or the budget is used up: callers come back while they need a session. False when no
  /// session can come of it: the peer is disabled, or one too many of its user; its endpoint
  /// unknown, its key unusable or the session table full.
  bool start(uint32_t peer);
  /// The need for a session was felt at `when`, a TSC reading: what is sought since earlier is
  /// sought as long as if it had begun then.
  void renew(uint32_t peer, uint64_t when);
  /// Sends the initiation again when that is due, or gives up after 20.
  void check(uint32_t peer);
  void take_response(const Datagram& datagram);
  /// Initiations cost X25519: two a millisecond are allowed, and few at once, so that a restart
  /// with many peers does not stop everything else. Called from time to time.
  void allow(uint64_t elapsed_tsc) noexcept;

 private:
  bool send(uint32_t peer, Handshake& handshake);
  void give_up(uint32_t peer);
  /// For timestamps: never earlier than before, though the clock be set back.
  uint64_t stamp_ns() noexcept;

  Context& ctx_;
  Handshakes& handshakes_;
  Sessions& sessions_;
  Admission& admission_;
  Paths& paths_;
  HeldPackets& held_;
  Transport& transport_;
  const uint64_t cost_;  // of an initiation, in units of the budget, which is TSC time
  uint64_t budget_;
  uint64_t stamp_ns_ = 0, stamped_ns_ = 0;  // the last timestamp, and the steady clock then
};

}  // namespace wirelay::ctrl
