// The timers (WireGuard paper, section 6), without a timer each: workers only note times in the
// session, and this looks at all active peers again and again, a slice at each tick.
#pragma once

#include <cstdint>

#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/initiator.h"
#include "ctrl/protocol/presence.h"
#include "ctrl/protocol/sessions.h"
#include "ctrl/protocol/transport.h"

namespace wirelay::ctrl {

class Timers {
 public:
  Timers(Context& ctx, Sessions& sessions, Presence& presence, Handshakes& handshakes,
         Initiator& initiator, HeldPackets& held, Transport& transport);

  /// Looks at as many peers as time has passed for: at each every kLapMs.
  void tick();
  static constexpr uint64_t kLapMs = 200;

  /// A session is confirmed: the peer's packets that waited can go.
  void confirmed(uint32_t peer);

 private:
  void check(uint32_t peer);
  void check_presence(uint32_t peer, const PeerState& s);
  void check_age(uint32_t peer, const PeerState& s, const Sessions::Activity& seen);
  void check_silence(uint32_t peer, PeerState& s, const Sessions::Activity& seen);
  void check_answer(uint32_t peer, PeerState& s, const Sessions::Activity& seen);
  void check_persistent(uint32_t peer, PeerState& s, const Sessions::Activity& seen);
  [[nodiscard]] uint64_t jitter(uint64_t time) const noexcept;
  bool needs_timers(uint32_t peer, const PeerState& s) const;
  void prefetch(size_t position) const;

  Context& ctx_;
  Sessions& sessions_;
  Presence& presence_;
  Handshakes& handshakes_;
  Initiator& initiator_;
  HeldPackets& held_;
  Transport& transport_;
  const uint64_t salt_;      // of jitter()
  size_t position_ = 0;      // in the active list
  uint64_t last_tick_ = 0;   // TSC
  uint64_t owed_ = 0;        // TSC time times peers not used up yet, see tick()
  uint64_t lap_ = 0;         // TSC when this lap began
  uint64_t lap_before_ = 0;  // and the one before it: every peer was looked at since
};

}  // namespace wirelay::ctrl
