// Rotation as in add_new_keypair() and wg_noise_received_with_keypair() of the Linux kernel.
#include "ctrl/protocol/sessions.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "crypto/wire.h"

namespace wirelay::ctrl {

using dataplane::Session;
using dataplane::Traffic;

void Sessions::publish(uint32_t peer, const crypto::TransportKeys& keys) {
  ctx_.session_writer.publish(keys, ctx_.now.tsc + ctx_.seconds(crypto::kRejectAfterTime));
  ctx_.book->activate(peer);
}

void Sessions::make_current(uint32_t peer, uint32_t index) {
  PeerState& s = ctx_.state(peer);
  s.current = index;
  ctx_.peer_writer.set_current(peer, index);
  ctx_.peer_writer.set_next(peer, 0);
  s.handshake_unix_ns = ctx_.now.unix_ns;
  ctx_.user_book.note_handshake(ctx_.user_of(peer), ctx_.now.unix_ns / kNsPerSecond);
  ++ctx_.counters.handshakes_completed;
  presence_.arrive(peer);
}

void Sessions::begin_initiated(uint32_t peer, const crypto::TransportKeys& keys) {
  PeerState& s = ctx_.state(peer);
  confirm_used(peer);
  publish(peer, keys);
  retire(peer, s.previous);
  uint32_t ousted = s.current;
  // An answered session that waits for its first packet may yet get it: it becomes the previous.
  s.previous = std::exchange(s.next != 0 ? s.next : ousted, 0);
  make_current(peer, keys.local_index);
  retire(peer, ousted);
  settle(peer);
}

void Sessions::begin_answered(uint32_t peer, const crypto::TransportKeys& keys) {
  PeerState& s = ctx_.state(peer);
  confirm_used(peer);
  publish(peer, keys);
  retire(peer, s.next);
  retire(peer, s.previous);
  s.next = keys.local_index;
  ctx_.peer_writer.set_next(peer, s.next);
  settle(peer);
}

bool Sessions::confirm(uint32_t peer, uint32_t index) {
  PeerState& s = ctx_.state(peer);
  if (index == 0 || s.next != index) return false;
  retire(peer, s.previous);
  s.previous = s.current;
  s.next = 0;
  make_current(peer, index);
  settle(peer);
  return true;
}

bool Sessions::confirm_used(uint32_t peer) {
  const uint32_t next = ctx_.state(peer).next;
  const Session* session = ctx_.shared.sessions.find(next);
  return session != nullptr && session->rx_tsc.load(std::memory_order_relaxed) != 0 &&
         confirm(peer, next);
}

void Sessions::expire(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  for (uint32_t* slot : {&s.previous, &s.current, &s.next}) {
    const Session* session = ctx_.shared.sessions.find(*slot);
    if (session == nullptr || session->reject_tsc > ctx_.now.tsc) continue;
    if (slot == &s.current) ctx_.peer_writer.set_current(peer, 0);
    if (slot == &s.next) ctx_.peer_writer.set_next(peer, 0);
    retire(peer, *slot);
    ++ctx_.counters.sessions_expired;
  }
  settle(peer);
}

void Sessions::end_all(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  if (s.current != 0) ctx_.peer_writer.set_current(peer, 0);
  if (s.next != 0) ctx_.peer_writer.set_next(peer, 0);
  for (uint32_t* slot : {&s.previous, &s.current, &s.next}) retire(peer, *slot);
  s.unanswered = s.unheard = 0;
  settle(peer);
}

/// What the session carried is added to the peer's total at once, and what workers still add to it
/// until the grace period ends is added then.
void Sessions::retire(uint32_t peer, uint32_t& slot) {
  paths_.follow(peer);  // what it has seen goes with it
  const uint32_t index = std::exchange(slot, 0);
  const Session* session = ctx_.shared.sessions.find(index);
  if (session == nullptr) return;
  const Traffic counted = dataplane::traffic_of(*session);
  PeerState& state = ctx_.state(peer);
  state.traffic += counted;
  state.heard = std::max(state.heard, session->rx_tsc.load(std::memory_order_relaxed));
  const uint32_t generation = state.generation;
  ctx_.session_writer.retire(index,
                             [book = ctx_.book, peer, generation, counted](const Traffic& last) {
                               PeerState& s = book->state(peer);
                               if (s.generation == generation) s.traffic += last - counted;
                             });
}

/// Derives the times that the timers look at from the sessions that there are now.
void Sessions::settle(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  s.expiry = s.born = 0;
  for (const uint32_t index : {s.previous, s.current, s.next}) {
    const Session* session = ctx_.shared.sessions.find(index);
    if (session == nullptr) continue;
    s.expiry = s.expiry == 0 ? session->reject_tsc : std::min(s.expiry, session->reject_tsc);
    if (index == s.current) {
      s.born = session->reject_tsc - ctx_.seconds(crypto::kRejectAfterTime);
    }
  }
}

Session* Sessions::usable(uint32_t peer) {
  Session* session = dataplane::session_to_send(ctx_.shared.peers[peer], ctx_.shared.sessions);
  if (session == nullptr || session->reject_tsc <= ctx_.now.tsc) return nullptr;
  const uint64_t counter = session->send_counter.load(std::memory_order_relaxed);
  return counter < crypto::kRejectAfterMessages ? session : nullptr;
}

bool Sessions::owns(uint32_t peer, uint32_t index) const noexcept {
  const PeerState& s = ctx_.book->state(peer);
  return index != 0 && (index == s.current || index == s.next || index == s.previous);
}

Traffic Sessions::traffic(uint32_t peer) {
  const PeerState& s = ctx_.state(peer);
  Traffic sum = s.traffic;
  for (const uint32_t index : {s.previous, s.current, s.next}) {
    if (const Session* session = ctx_.shared.sessions.find(index)) {
      sum += dataplane::traffic_of(*session);
    }
  }
  return sum;
}

Sessions::Activity Sessions::activity(uint32_t peer) {
  const PeerState& s = ctx_.state(peer);
  Activity last;
  const auto later = [](uint64_t& time, const std::atomic<uint64_t>& of_session) {
    time = std::max(time, of_session.load(std::memory_order_relaxed));
  };
  for (const uint32_t index : {s.current, s.next, s.previous}) {
    if (index == 0) continue;
    const Session& session = *ctx_.shared.sessions.slot(index);
    later(last.received, session.rx_tsc);
    later(last.received_data, session.rx_data_tsc);
    later(last.sent, session.tx_tsc);
    later(last.sent_data, session.tx_data_tsc);
  }
  return last;
}

}  // namespace wirelay::ctrl
