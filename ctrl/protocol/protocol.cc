// The parts of the protocol put together, and what comes in handed to them.
#include "ctrl/protocol/protocol.h"

#include <algorithm>
#include <cstring>

#include <rte_mempool.h>

#include "crypto/wire.h"
#include "ctrl/packets/datagram.h"
#include "ctrl/packets/held_packets.h"
#include "ctrl/packets/path_report.h"
#include "ctrl/protocol/admission.h"
#include "ctrl/protocol/context.h"
#include "ctrl/protocol/handshakes.h"
#include "ctrl/protocol/initiator.h"
#include "ctrl/protocol/load_guard.h"
#include "ctrl/protocol/paths.h"
#include "ctrl/protocol/responder.h"
#include "ctrl/protocol/sessions.h"
#include "ctrl/protocol/shared_keys.h"
#include "ctrl/protocol/timers.h"
#include "ctrl/protocol/transport.h"

namespace wirelay::ctrl {

using dataplane::EventKind;
using dataplane::PuntReason;

namespace {

/// Packets that wait for a session, for a peer as in the Linux kernel, and which part of all
/// buffers they may take.
constexpr size_t kMostHeldForPeer = 128;
constexpr size_t kMostHeld = 4096;
constexpr size_t kHeldPart = 8;

/// How long handshakes that are computed together may take, and how few they are if they must.
constexpr uint64_t kNsAtOnce = 1'000'000;
constexpr uint64_t kFewestAtOnce = 4;

}  // namespace

struct Protocol::Impl {
  Impl(dataplane::Shared& shared, dataplane::SessionWriter& session_writer,
       dataplane::PeerWriter& peer_writer, PacketSender& sender, const crypto::Identity& identity,
       uint64_t handshake_ns, Answerer* answerer)
      : ctx{shared,
            session_writer,
            peer_writer,
            sender,
            identity,
            std::make_shared<PeerBook>(shared.peers.capacity()),
            {},
            {},
            {shared.users.capacity(), shared.peers.capacity()}},
        at_once(static_cast<unsigned>(std::clamp<uint64_t>(kNsAtOnce / handshake_ns, kFewestAtOnce,
                                                           crypto::kHandshakesAtOnce))),
        guard(identity.public_key, static_cast<uint32_t>(shared.mailboxes.size()), handshake_ns),
        held(kMostHeldForPeer, std::min(kMostHeld, shared.pool->size / kHeldPart)),
        responder(ctx, handshakes, sessions, admission, shared_keys, paths, answerer) {}

  /// What is an initiation that is to be served goes behind those of `initiations`.
  void take_handshake(const Datagram& datagram, bool expected, std::vector<Datagram>& initiations);
  void send_cookie(const Datagram& datagram, bool expected);
  void take_packet(uint32_t peer, rte_mbuf* packet);
  void end(uint32_t peer, Ended how);

  Context ctx;
  const unsigned at_once;
  LoadGuard guard;
  HeldPackets held;
  Paths paths{ctx};
  Presence presence{ctx};
  Sessions sessions{ctx, paths, presence};
  Handshakes handshakes{ctx};
  Transport transport{ctx, sessions, held};
  Admission admission{ctx, sessions, [this](uint32_t peer) { end(peer, Ended::kReplaced); }};
  SharedKeys shared_keys{ctx.shared.peers.capacity(), ctx.shared.tsc_hz};
  Initiator initiator{ctx, handshakes, sessions, admission, paths, held, transport};
  Responder responder;
  Timers timers{ctx, sessions, presence, handshakes, initiator, held, transport};
};

void Protocol::Impl::take_handshake(const Datagram& datagram, bool expected,
                                    std::vector<Datagram>& initiations) {
  using crypto::MessageType;
  const auto& message = datagram.message;
  const auto refuse = [&](uint64_t ProtocolCounters::*why) {
    ctx.refuse(why, std::nullopt, datagram.remote);
  };
  const auto is = [&](MessageType type, size_t size) {
    return message.size() == size &&
           crypto::load_le32(message.data()) == static_cast<uint32_t>(type);
  };
  if (is(MessageType::kCookieReply, sizeof(crypto::MessageCookieReply))) {
    crypto::MessageCookieReply reply;
    std::memcpy(&reply, message.data(), sizeof reply);
    if (!handshakes.take_cookie(reply)) return refuse(&ProtocolCounters::refused_bad_message);
    ++ctx.counters.cookies_received;
    return;
  }
  const bool initiation = is(MessageType::kInitiation, sizeof(crypto::MessageInitiation));
  if (!initiation && !is(MessageType::kResponse, sizeof(crypto::MessageResponse))) {
    return refuse(&ProtocolCounters::refused_bad_message);
  }
  ++(initiation ? ctx.counters.initiations_received : ctx.counters.responses_received);
  if (responder.take_overload()) guard.note_load(ctx.now);
  switch (guard.judge(datagram, ctx.now)) {
    case LoadGuard::Verdict::kServe:
      initiation ? initiations.push_back(datagram) : initiator.take_response(datagram);
      return;
    case LoadGuard::Verdict::kSendCookie:
      send_cookie(datagram, expected);
      return;
    case LoadGuard::Verdict::kRefuse:
      refuse(&ProtocolCounters::refused_under_load);
      return;
  }
}

/// What is expected is few, since workers hand up few of it, and most likely a peer's, who needs
/// the cookie before its session ends: a flood of others does not use up its replies.
void Protocol::Impl::send_cookie(const Datagram& datagram, bool expected) {
  if (!expected && !guard.may_reply(datagram.worker, ctx.now)) {
    return ctx.refuse(&ProtocolCounters::refused_under_load, std::nullopt, datagram.remote);
  }
  const auto path = paths.make(datagram.remote, &datagram.local, &datagram.port);
  if (!path) {
    return ctx.refuse(&ProtocolCounters::refused_unreachable, std::nullopt, datagram.remote);
  }
  const crypto::MessageCookieReply reply = guard.reply(datagram, ctx.now);
  if (paths.send(*path, {reinterpret_cast<const uint8_t*>(&reply), sizeof reply}, kNoClass)) {
    ++ctx.counters.cookies_sent;
  }
}

/// An inner packet for a peer without a usable session, as its worker saw it: there may be one now,
/// and the number may be another peer's.
void Protocol::Impl::take_packet(uint32_t peer, rte_mbuf* packet) {
  ++ctx.counters.held_packets;
  if (!ctx.enabled(peer) || !transport.is_for(peer, packet)) {
    ++ctx.counters.held_dropped;
    rte_pktmbuf_free(packet);
    return;
  }
  if (sessions.usable(peer) != nullptr) {
    if (!transport.send(peer, packet)) ++ctx.counters.held_dropped;
    return;
  }
  ctx.counters.held_overflow += held.hold(peer, packet);
  ctx.state(peer).flags |= kHolding;
  ctx.book->activate(peer);
  initiator.renew(peer, ctx.now.tsc);
  if (!initiator.start(peer)) {
    ctx.counters.held_dropped += held.drop(peer);
    ctx.state(peer).flags = static_cast<uint8_t>(ctx.state(peer).flags & ~kHolding);
  }
}

void Protocol::Impl::end(uint32_t peer, Ended how) {
  sessions.end_all(peer);
  presence.leave(peer, how);
  handshakes.abort(peer);
  ctx.counters.held_dropped += held.drop(peer);
  PeerState& s = ctx.state(peer);
  s.answering = 0;
  s.flags = static_cast<uint8_t>(s.flags & ~kHolding);
}

Protocol::Protocol(dataplane::Shared& shared, dataplane::SessionWriter& sessions,
                   dataplane::PeerWriter& peers, PacketSender& sender,
                   const crypto::Identity& identity, uint64_t handshake_ns, Answerer* answerer)
    : impl_(std::make_unique<Impl>(shared, sessions, peers, sender, identity, handshake_ns,
                                   answerer)) {}

Protocol::~Protocol() = default;

void Protocol::watch(PeerObserver* observer) noexcept { impl_->ctx.observer = observer; }

void Protocol::add_user(uint32_t user, const SessionRules& rules) {
  impl_->ctx.user_book.add(user, rules);
}

void Protocol::change_user(uint32_t user, const SessionRules& rules) {
  impl_->ctx.user_book.set_rules(user, rules);
}

void Protocol::add_peer(uint32_t peer, const PeerSpec& spec, bool enabled) {
  impl_->ctx.book->add(peer, spec, enabled);
  impl_->ctx.user_book.add_peer(impl_->ctx.user_of(peer), peer);
  impl_->paths.set_configured(peer);
  if (spec.persistent_keepalive != 0) impl_->ctx.book->activate(peer);
}

void Protocol::change_peer(uint32_t peer, const PeerSpec& spec, bool enabled) {
  Context& ctx = impl_->ctx;
  PeerState& s = ctx.state(peer);
  PeerIdentity& id = ctx.book->identity(peer);
  const bool other_key = id.public_key != spec.public_key;
  if (other_key || !enabled) impl_->end(peer, enabled ? Ended::kOtherKey : Ended::kDisabled);
  if (other_key) {
    ctx.book->set_key(peer, spec.public_key);
    impl_->shared_keys.forget(peer);
  }
  id.preshared_key = spec.preshared_key ? spec.preshared_key->bytes() : crypto::Bytes32{};
  const bool kept_alive = s.keepalive != 0 && (s.flags & kEnabled) != 0;
  s.keepalive = spec.persistent_keepalive;
  ctx.book->set_enabled(peer, enabled);
  if (!enabled) s.flags = static_cast<uint8_t>(s.flags & ~kGreet);
  if (spec.endpoint.value_or(dataplane::Endpoint{}) != id.endpoint) place_peer(peer, spec.endpoint);
  if (s.keepalive == 0 || !enabled) return;
  if (!kept_alive) s.flags |= kGreet;
  ctx.book->activate(peer);
}

void Protocol::place_peer(uint32_t peer, const std::optional<dataplane::Endpoint>& endpoint) {
  Context& ctx = impl_->ctx;
  ctx.book->identity(peer).endpoint = endpoint.value_or(dataplane::Endpoint{});
  if (endpoint && !impl_->paths.set_configured(peer)) impl_->paths.forget(peer);
}

void Protocol::forget_timestamp(uint32_t peer) {
  impl_->ctx.book->identity(peer).timestamp = {};
  impl_->ctx.book->refused_timestamp(peer) = {};
}

void Protocol::resume_peer(uint32_t peer, const PeerLife& life, const Now& now) {
  Context& ctx = impl_->ctx;
  ctx.now = now;
  PeerState& s = ctx.state(peer);
  s.traffic = life.traffic;
  s.handshake_unix_ns = life.handshake_unix_ns;
  ctx.book->identity(peer).timestamp = life.timestamp;
  if (life.where) impl_->paths.resume(peer, *life.where);
}

void Protocol::remove_peer(uint32_t peer) {
  impl_->end(peer, Ended::kRemoved);
  impl_->paths.remove(peer);
  impl_->shared_keys.forget(peer);
  impl_->ctx.user_book.remove_peer(impl_->ctx.user_of(peer), peer);
  impl_->ctx.book->remove(peer);
}

void Protocol::handle(const dataplane::Punt& punt, const Now& now) { handle({&punt, 1}, now); }

void Protocol::handle(std::span<const dataplane::Punt> punts, const Now& now) {
  impl_->ctx.now = now;
  std::vector<Datagram> initiations;
  for (const dataplane::Punt& punt : punts) {
    if (punt.reason == PuntReason::kNoSession) {
      impl_->take_packet(punt.peer, punt.mbuf);
    } else if (punt.reason == PuntReason::kPathReport) {
      if (const auto report = parse_path_report(punt.mbuf)) impl_->paths.narrow(*report);
    } else if (const auto datagram = parse_frame(punt.mbuf, punt.worker)) {
      impl_->take_handshake(*datagram, punt.reason == PuntReason::kExpected, initiations);
    } else {
      impl_->ctx.refuse(&ProtocolCounters::refused_bad_message);
    }
  }
  impl_->responder.take_initiations(initiations);
  for (const dataplane::Punt& punt : punts) {
    if (punt.reason != PuntReason::kNoSession) rte_pktmbuf_free(punt.mbuf);
  }
}

unsigned Protocol::handshakes_at_once() const noexcept { return impl_->at_once; }

void Protocol::handle(const dataplane::Event& event, const Now& now) {
  Context& ctx = impl_->ctx;
  ctx.now = now;
  const auto peer = ctx.session_writer.peer_of(event.session);
  if (!peer || !ctx.enabled(*peer) || !impl_->sessions.owns(*peer, event.session)) return;
  if (event.kind == EventKind::kMoved) {
    impl_->paths.follow(*peer);
  } else if (impl_->sessions.confirm(*peer, event.session)) {
    impl_->timers.confirmed(*peer);
  } else if (event.session == ctx.state(*peer).current) {
    impl_->transport.send_held(*peer);  // a handshake has made it current meanwhile
  }
}

void Protocol::note_load(const Now& now) { impl_->guard.note_load(now); }

unsigned Protocol::finish_answers(unsigned most, const Now& now) {
  impl_->ctx.now = now;
  return impl_->responder.finish(most);
}

void Protocol::tick(const Now& now) {
  impl_->ctx.now = now;
  impl_->timers.tick();
  impl_->paths.tick();
}

uint32_t Protocol::peer_count(uint32_t user) const { return impl_->ctx.user_book.peer_count(user); }

void Protocol::follow_user(uint32_t user) {
  Context& ctx = impl_->ctx;
  const uint32_t peer = ctx.user_book.next_peer(user);
  if (peer == UserBook::kNone) return;
  if (ctx.expired(peer)) return impl_->end(peer, Ended::kUserExpired);
  PeerState& s = ctx.state(peer);
  if (s.keepalive == 0 || !ctx.enabled(peer)) return;
  s.flags |= kGreet;
  ctx.book->activate(peer);
}

uint64_t Protocol::first_handshake(uint32_t user) const {
  return impl_->ctx.user_book.first_handshake(user);
}

void Protocol::set_first_handshake(uint32_t user, uint64_t seconds) {
  impl_->ctx.user_book.set_first_handshake(user, seconds);
}

std::vector<uint32_t> Protocol::take_first_handshakes() { return impl_->ctx.user_book.take_new(); }

void Protocol::close() noexcept { impl_->admission.close(); }

PeerStatus Protocol::status(uint32_t peer) const {
  PeerStatus out;
  const Context& ctx = impl_->ctx;
  if (!ctx.book->present(peer)) return out;
  const dataplane::Endpoint& configured = ctx.book->identity(peer).endpoint;
  if (const auto where = impl_->paths.where(peer)) out.endpoint = where->remote;
  if (!out.endpoint && configured.port != 0) out.endpoint = configured;
  if (const dataplane::PeerPath* path = ctx.path(peer)) out.path_mtu = path->mtu;
  out.last_handshake_unix_ns = ctx.book->state(peer).handshake_unix_ns;
  out.refused_time = crypto::unix_seconds_of(ctx.book->refused_timestamp(peer));
  if (out.refused_time != 0) {
    out.last_time = crypto::unix_seconds_of(ctx.book->identity(peer).timestamp);
  }
  out.traffic = impl_->sessions.traffic(peer);
  out.has_session = impl_->sessions.usable(peer) != nullptr;
  return out;
}

PeerLife Protocol::life(uint32_t peer) const {
  const Context& ctx = impl_->ctx;
  const PeerState& s = ctx.book->state(peer);
  return {impl_->sessions.traffic(peer), impl_->paths.where(peer),
          ctx.book->identity(peer).timestamp, s.handshake_unix_ns};
}

PeerCounts Protocol::peer_counts() const noexcept {
  return {impl_->ctx.book->enabled(), impl_->presence.connected()};
}

const ProtocolCounters& Protocol::counters() const noexcept { return impl_->ctx.counters; }

}  // namespace wirelay::ctrl
