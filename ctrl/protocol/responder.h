// Our side of handshakes that peers begin (WireGuard paper, sections 5.4.2 and 5.4.3).
#pragma once

#include "ctrl/packets/datagram.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/sessions.h"

namespace wirelay::ctrl {

class Responder {
 public:
  Responder(Context& ctx, Handshakes& handshakes, Sessions& sessions, Paths& paths)
      : ctx_(ctx), handshakes_(handshakes), sessions_(sessions), paths_(paths) {}

  /// Answers an initiation, which makes a session that waits for its confirmation; or counts why
  /// not.
  void take_initiation(const Datagram& datagram);

 private:
  void answer(uint32_t peer, const Datagram& datagram, crypto::HandshakeState& state,
              const crypto::RemoteIdentity& remote);
  Context& ctx_;
  Handshakes& handshakes_;
  Sessions& sessions_;
  Paths& paths_;
};

}  // namespace wirelay::ctrl
