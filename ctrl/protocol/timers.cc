// What is due for each peer.
#include "ctrl/protocol/timers.h"

#include <algorithm>

#include <rte_prefetch.h>

#include "crypto/wire.h"

namespace wirelay::ctrl {

using dataplane::Session;

namespace {

/// How many peers ahead memory is asked for: first the state, then the session it names.
constexpr size_t kAheadState = 12;
constexpr size_t kAheadSession = 6;

/// Peers that one tick looks at, at most: a millisecond or a little more. What a stall leaves
/// behind is made up for by the next ticks.
constexpr size_t kPeersAtOnce = 12'000;

/// Time that has passed since `then`, which a worker may have read a little later than we read
/// `now`.
uint64_t since(uint64_t then, uint64_t now) noexcept { return now > then ? now - then : 0; }

uint64_t load(const std::atomic<uint64_t>& time) noexcept {
  return time.load(std::memory_order_relaxed);
}

}  // namespace

Timers::Timers(Context& ctx, Sessions& sessions, Presence& presence, Handshakes& handshakes,
               Initiator& initiator, HeldPackets& held, Transport& transport)
    : ctx_(ctx),
      sessions_(sessions),
      presence_(presence),
      handshakes_(handshakes),
      initiator_(initiator),
      held_(held),
      transport_(transport),
      salt_(uint64_t{crypto::random_u32()} << 32 | crypto::random_u32()) {}

void Timers::tick() {
  const uint64_t now = ctx_.now.tsc;
  const uint64_t lap = ctx_.milliseconds(kLapMs);
  const uint64_t elapsed = std::min(now - last_tick_, lap);
  last_tick_ = now;
  initiator_.allow(elapsed);
  const size_t size = ctx_.book->active().size();
  owed_ = std::min(owed_ + elapsed * size, lap * size);
  const size_t due = std::min<size_t>(owed_ / lap, kPeersAtOnce);
  owed_ -= due * lap;
  for (size_t i = 0; i < due; ++i) {
    const auto active = ctx_.book->active();
    if (active.empty()) return;
    if (position_ >= active.size()) {
      position_ = 0;
      lap_before_ = lap_;
      lap_ = now;
    }
    prefetch(position_);
    const uint32_t peer = active[position_];
    check(peer);
    // A peer that leaves the list is replaced by its last one, which is looked at next.
    if (ctx_.state(peer).active_at != 0) ++position_;
  }
}

void Timers::prefetch(size_t position) const {
  const auto active = ctx_.book->active();
  if (position + kAheadState < active.size()) {
    rte_prefetch0(&ctx_.book->state(active[position + kAheadState]));
  }
  if (position + kAheadSession < active.size()) {
    const uint32_t index = ctx_.book->state(active[position + kAheadSession]).current;
    const Session* session = ctx_.shared.sessions.slot(index);
    rte_prefetch0(&session->rx_tsc);
    rte_prefetch0(&session->tx_tsc);
  }
}

void Timers::check(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  if (s.expiry != 0 && ctx_.now.tsc >= s.expiry) {
    sessions_.expire(peer);
    check_presence(peer, s);
  }
  if (sessions_.confirm_used(peer)) confirmed(peer);
  if ((s.flags & kHandshaking) != 0) initiator_.check(peer);
  const Sessions::Activity seen = sessions_.activity(peer);
  if (s.current != 0) {
    check_age(peer, s, seen);
  } else if ((s.flags & kHolding) != 0 && !initiator_.start(peer)) {
    ctx_.counters.held_dropped += held_.drop(peer);
    s.flags = static_cast<uint8_t>(s.flags & ~kHolding);
  }
  check_silence(peer, s, seen);
  check_answer(peer, s, seen);
  if (s.keepalive != 0) check_persistent(peer, s, seen);
  if (!needs_timers(peer, s)) ctx_.book->deactivate(peer);
}

/// Gone when it has no session at all.
void Timers::check_presence(uint32_t peer, const PeerState& s) {
  if ((s.current | s.next | s.previous) != 0) return;
  presence_.leave(peer, handshakes_.seeks(peer) ? Ended::kRekeyTimeout : Ended::kExpired);
}

/// A new session when the current one grows old in use: the initiator's part (section 6.2), so that
/// not both sides begin at once.
void Timers::check_age(uint32_t peer, const PeerState& s, const Sessions::Activity& seen) {
  constexpr uint64_t kLastMinute =
      crypto::kRejectAfterTime - crypto::kKeepaliveTimeout - crypto::kRekeyTimeout;
  const Session& session = *ctx_.shared.sessions.slot(s.current);
  const uint64_t sealed = load(session.tx_tsc);
  const bool old = sealed >= s.born + ctx_.seconds(crypto::kRekeyAfterTime);
  const bool last_minute = seen.received >= s.born + ctx_.seconds(kLastMinute);
  const bool worn = load(session.send_counter) > crypto::kRekeyAfterMessages;
  if (!worn && !(session.initiator && (old || last_minute))) return;
  if (old || worn) initiator_.renew(peer, sealed);
  initiator_.start(peer);
}

/// A new session when the peer has fallen silent (section 6.4): we sent data, and nothing came,
/// with whichever session. Handshake messages count as traffic both ways. What was sent at the very
/// time of the last message was sent after it: packets that waited for their session.
void Timers::check_silence(uint32_t peer, PeerState& s, const Sessions::Activity& seen) {
  constexpr uint64_t kSilence = crypto::kKeepaliveTimeout + crypto::kRekeyTimeout;
  const uint64_t now = ctx_.now.tsc;
  const uint64_t heard = std::max(seen.received, s.heard);
  if (s.unheard != 0 && heard > s.unheard) s.unheard = 0;
  if (s.unheard == 0 && seen.sent_data != 0 && seen.sent_data >= heard) s.unheard = seen.sent_data;
  if (s.unheard == 0 || since(s.unheard, now) < ctx_.seconds(kSilence) + jitter(s.unheard)) return;
  initiator_.renew(peer, now);
  // From now on it is the initiation that is unanswered.
  if (!initiator_.start(peer) || handshakes_.seeks(peer)) s.heard = now;
}

/// An empty packet when data came in and nothing went out (section 6.5). The first of several data
/// packets counts, which came no earlier than our last look at this peer.
void Timers::check_answer(uint32_t peer, PeerState& s, const Sessions::Activity& seen) {
  const uint64_t sent = std::max(seen.sent, s.sent);
  if (s.unanswered <= sent) {
    s.unanswered =
        seen.received_data > sent ? std::min(seen.received_data, std::max(sent, lap_before_)) : 0;
  }
  if (s.unanswered == 0) return;
  if (since(s.unanswered, ctx_.now.tsc) < ctx_.seconds(crypto::kKeepaliveTimeout)) return;
  if (!transport_.keepalive(peer)) initiator_.start(peer);
  s.unanswered = 0;
}

void Timers::check_persistent(uint32_t peer, PeerState& s, const Sessions::Activity& seen) {
  const uint64_t last = std::max({s.sent, s.heard, seen.sent, seen.received});
  const bool greet = (s.flags & kGreet) != 0;
  if (!greet && since(last, ctx_.now.tsc) < ctx_.seconds(s.keepalive)) return;
  if (!transport_.keepalive(peer) && !(initiator_.start(peer) && handshakes_.seeks(peer))) return;
  s.flags = static_cast<uint8_t>(s.flags & ~kGreet);
}

/// The same for the same time, so that it needs no memory; up to a third of a second.
uint64_t Timers::jitter(uint64_t time) const noexcept {
  const uint64_t mixed = (time ^ salt_) * 0x9e3779b97f4a7c15;
  return ctx_.milliseconds((mixed >> 32) % kJitterMs);
}

bool Timers::needs_timers(uint32_t peer, const PeerState& s) const {
  if ((s.current | s.next | s.previous) != 0 || (s.unheard | s.unanswered) != 0) return true;
  if ((s.flags & (kHandshaking | kHolding)) != 0) return true;
  return s.keepalive != 0 && ctx_.enabled(peer) &&
         (ctx_.path(peer) != nullptr || ctx_.book->identity(peer).endpoint.port != 0);
}

void Timers::confirmed(uint32_t peer) {
  handshakes_.finish(peer);
  transport_.send_held(peer);
}

}  // namespace wirelay::ctrl
