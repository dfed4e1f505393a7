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

/// Time that has passed since `then`, which a worker may have read a little later than we read
/// `now`.
uint64_t since(uint64_t then, uint64_t now) noexcept { return now > then ? now - then : 0; }

uint64_t load(const std::atomic<uint64_t>& time) noexcept {
  return time.load(std::memory_order_relaxed);
}

}  // namespace

Timers::Timers(Context& ctx, Sessions& sessions, Handshakes& handshakes, Initiator& initiator,
               HeldPackets& held, Transport& transport)
    : ctx_(ctx),
      sessions_(sessions),
      handshakes_(handshakes),
      initiator_(initiator),
      held_(held),
      transport_(transport) {}

void Timers::tick() {
  const uint64_t now = ctx_.now.tsc;
  const uint64_t lap = ctx_.milliseconds(kLapMs);
  const uint64_t elapsed = std::min(now - last_tick_, lap);
  last_tick_ = now;
  initiator_.allow(elapsed);
  const size_t size = ctx_.book->active().size();
  owed_ += elapsed * size;
  const size_t due = std::min<size_t>(owed_ / lap, size);
  owed_ = due == size ? 0 : owed_ - due * lap;
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
  if (s.expiry != 0 && ctx_.now.tsc >= s.expiry) sessions_.expire(peer);
  if (s.next != 0) {
    // The worker's report may be late, or lost because its ring was full.
    const Session* next = ctx_.shared.sessions.slot(s.next);
    if (load(next->rx_tsc) != 0 && sessions_.confirm(peer, s.next)) confirmed(peer);
  }
  if ((s.flags & kHandshaking) != 0) initiator_.check(peer);
  if (s.current != 0) {
    check_session(peer, s, *ctx_.shared.sessions.slot(s.current));
  } else if ((s.flags & kHolding) != 0 && !initiator_.start(peer)) {
    ctx_.counters.held_dropped += held_.drop(peer);
    s.flags = static_cast<uint8_t>(s.flags & ~kHolding);
  }
  if (s.keepalive != 0) check_persistent(peer, s);
  if (!needs_timers(peer, s)) ctx_.book->deactivate(peer);
}

/// `session` is the current one. Handshake messages count as traffic both ways, but do not wear it.
void Timers::check_session(uint32_t peer, PeerState& s, const Session& session) {
  const uint64_t now = ctx_.now.tsc;
  const uint64_t received = load(session.rx_tsc);
  const uint64_t sealed = load(session.tx_tsc);
  const uint64_t heard = std::max(received, s.heard);
  const uint64_t sent = std::max(sealed, s.sent);
  const uint64_t heard_data = load(session.rx_data_tsc);
  const uint64_t sent_data = load(session.tx_data_tsc);

  // A new session when this one grows old in use: the initiator's part (section 6.2), so that not
  // both sides begin at once.
  constexpr uint64_t kLastMinute =
      crypto::kRejectAfterTime - crypto::kKeepaliveTimeout - crypto::kRekeyTimeout;
  const bool old = sealed >= s.born + ctx_.seconds(crypto::kRekeyAfterTime) ||
                   received >= s.born + ctx_.seconds(kLastMinute);
  if ((old && session.initiator) || load(session.send_counter) > crypto::kRekeyAfterMessages) {
    initiator_.start(peer);
  }

  // A new session when the peer has fallen silent (section 6.4): we sent data, and nothing came.
  if (sent_data <= heard) {
    s.unheard = 0;
  } else if (s.unheard <= heard) {
    s.unheard = sent_data;
  }
  constexpr uint64_t kSilence = crypto::kKeepaliveTimeout + crypto::kRekeyTimeout;
  if (s.unheard != 0 && since(s.unheard, now) >= ctx_.seconds(kSilence)) {
    initiator_.renew(peer);
    initiator_.start(peer);
    // From now on it is the initiation that is unanswered.
    if ((s.flags & kHandshaking) != 0) s.heard = now;
  }

  // An empty packet when data came in and nothing went out (section 6.5). The first of several data
  // packets counts, which came no earlier than our last look at this peer.
  if (heard_data <= sent) {
    s.unanswered = 0;
  } else if (s.unanswered <= sent) {
    s.unanswered = std::min(heard_data, std::max(sent, lap_before_));
  }
  if (s.unanswered != 0 && since(s.unanswered, now) >= ctx_.seconds(crypto::kKeepaliveTimeout)) {
    transport_.keepalive(peer);
  }
}

void Timers::check_persistent(uint32_t peer, const PeerState& s) {
  uint64_t last = std::max(s.sent, s.heard);
  if (s.current != 0) {
    const Session* session = ctx_.shared.sessions.slot(s.current);
    last = std::max({last, load(session->tx_tsc), load(session->rx_tsc)});
  }
  if (last != 0 && since(last, ctx_.now.tsc) < ctx_.seconds(s.keepalive)) return;
  if (!transport_.keepalive(peer)) initiator_.start(peer);
}

bool Timers::needs_timers(uint32_t peer, const PeerState& s) const {
  if ((s.current | s.next | s.previous) != 0) return true;
  if ((s.flags & (kHandshaking | kHolding)) != 0) return true;
  return s.keepalive != 0 && ctx_.enabled(peer) &&
         (ctx_.path(peer) != nullptr || ctx_.book->identity(peer).endpoint.port != 0);
}

void Timers::confirmed(uint32_t peer) {
  handshakes_.finish(peer);
  transport_.send_held(peer);
}

}  // namespace wirelay::ctrl
