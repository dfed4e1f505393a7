// The three sessions of a peer, in the slots that the Linux kernel gives them:
//
//   next ──confirmed──► current ──rotated out──► previous ──► retired
//
// We answered: the session is `next` until its first authentic packet proves that the peer has it.
// Workers seal with it from that packet on; that it is current is told to the control thread then.
// We initiated: it is `current` at once. `previous` still opens what was on the way. Each is
// retired when it is rotated out or reaches its reject time, whichever comes first, and with it its
// keys: sooner than the three times reject time after which the paper (section 6.3) erases all
// keys. A `next` takes the place of `previous`, and the other way round. While handshakes cross,
// there are the one that our own initiation has reserved and the one that we answer with besides: a
// peer takes four slots of the table.
#pragma once

#include <cstdint>

#include "crypto/noise.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/presence.h"

namespace wirelay::ctrl {

class Sessions {
 public:
  Sessions(Context& ctx, Paths& paths, Presence& presence)
      : ctx_(ctx), paths_(paths), presence_(presence) {}

  /// Publishes the session of a handshake that we initiated and sends with it from now on.
  void begin_initiated(uint32_t peer, const crypto::TransportKeys& keys);
  /// Publishes the session of a handshake that we answered.
  void begin_answered(uint32_t peer, const crypto::TransportKeys& keys);
  /// The peer has used `index`: true when that was `next`, which is now `current`.
  bool confirm(uint32_t peer, uint32_t index);
  /// The same when a session tells it by itself: the worker's report may be on its way, or lost
  /// because its ring was full.
  bool confirm_used(uint32_t peer);
  /// Retires what has reached its reject time.
  void expire(uint32_t peer);
  void end_all(uint32_t peer);

  /// The session to send with; null when there is none or it must not be used any more.
  [[nodiscard]] dataplane::Session* usable(uint32_t peer);
  [[nodiscard]] bool owns(uint32_t peer, uint32_t index) const noexcept;
  /// Of all its sessions, ended ones included.
  [[nodiscard]] dataplane::Traffic traffic(uint32_t peer);

  /// When something last went either way with any of the peer's sessions, TSC readings of workers.
  struct Activity {
    uint64_t received = 0, received_data = 0;  // authentic; without keepalives
    uint64_t sent = 0, sent_data = 0;
  };
  [[nodiscard]] Activity activity(uint32_t peer);

 private:
  void publish(uint32_t peer, const crypto::TransportKeys& keys);
  void make_current(uint32_t peer, uint32_t index);
  void retire(uint32_t peer, uint32_t& slot);
  void settle(uint32_t peer);

  Context& ctx_;
  Paths& paths_;
  Presence& presence_;
};

}  // namespace wirelay::ctrl
