// Answering handshakes. What costs little is checked first: most of the cost is X25519.
#include "ctrl/protocol/responder.h"

#include <cstring>
#include <memory>
#include <utility>

#include "crypto/wire.h"
#include "ctrl/base/log_limiter.h"
#include "ctrl/protocol/owners.h"

namespace wirelay::ctrl {

using Counters = ProtocolCounters;

namespace {

constexpr uint64_t kLeastIntervalMs = 20;  // between initiations of one peer, as in Linux

}  // namespace

void Responder::take_initiation(const Datagram& datagram) {
  crypto::MessageInitiation message;
  std::memcpy(&message, datagram.message.data(), sizeof message);
  auto opened = crypto::open_initiation(ctx_.identity, message);
  if (!opened) {
    return ctx_.refuse(&Counters::refused_bad_message, std::nullopt, datagram.remote);
  }
  const auto peer = ctx_.book->find(opened->claimed_static);
  if (!peer) {
    return ctx_.refuse(&Counters::refused_unknown_peer, std::nullopt, datagram.remote);
  }
  const auto refuse = [&](uint64_t Counters::*why) { ctx_.refuse(why, *peer, datagram.remote); };
  if (!ctx_.enabled(*peer)) {
    return refuse(ctx_.expired(*peer) ? &Counters::refused_expired : &Counters::refused_disabled);
  }
  PeerState& s = ctx_.state(*peer);
  if (s.answering != 0 ||
      (s.initiation != 0 && ctx_.now.tsc - s.initiation < ctx_.milliseconds(kLeastIntervalMs))) {
    return refuse(&Counters::refused_too_soon);
  }
  const auto remote = ctx_.book->remote(*peer, ctx_.identity);
  const auto timestamp =
      remote ? crypto::authenticate_initiation(*opened, *remote, message) : std::nullopt;
  if (!timestamp) return refuse(&Counters::refused_bad_message);
  crypto::Timestamp& greatest = ctx_.book->identity(*peer).timestamp;
  if (*timestamp == greatest) return refuse(&Counters::refused_replay);
  if (*timestamp < greatest) {
    ctx_.book->refused_timestamp(*peer) = *timestamp;
    warn_of_clock(*peer, *timestamp, greatest);
    return refuse(&Counters::refused_clock);
  }
  greatest = *timestamp;
  ctx_.book->refused_timestamp(*peer) = {};
  s.initiation = ctx_.now.tsc;
  watch_key(*peer, datagram.remote);
  if (admission_.closed()) return refuse(&Counters::refused_draining);
  if (!admission_.admit(*peer)) return refuse(&Counters::refused_sessions);
  answer(*peer, datagram, opened->state, *remote);
}

void Responder::warn_of_clock(uint32_t peer, const crypto::Timestamp& refused,
                              const crypto::Timestamp& greatest) {
  const std::string key = crypto::to_base64(ctx_.book->identity(peer).public_key);
  log_limited(
      LogLevel::kWarning, "clock " + key,
      "the peer with the key {} shakes hands with a time that lies {} s before that of its last "
      "handshake, and is refused: has its clock gone back? \"relayctl peer forget-timestamp\" "
      "lets it in",
      key, crypto::unix_seconds_of(greatest) - crypto::unix_seconds_of(refused));
}

void Responder::watch_key(uint32_t peer, const dataplane::Endpoint& from) {
  const auto other = shared_keys_.note(peer, from, ctx_.now.tsc);
  if (!other) return;
  if (ctx_.observer != nullptr) ctx_.observer->shared_key(peer, from, *other);
  const std::string key = crypto::to_base64(ctx_.book->identity(peer).public_key);
  log_limited(
      LogLevel::kWarning, "shared key " + key,
      "the peer with the key {} shakes hands from {} and {} in turn: do two devices share it?", key,
      to_string(from), to_string(*other));
}

void Responder::answer(uint32_t peer, const Datagram& datagram, const crypto::HandshakeState& state,
                       const crypto::RemoteIdentity& remote) {
  // The peer is where it asks from, and answered where it is by then: it may have moved on.
  const auto path = paths_.make(datagram.remote, &datagram.local, &datagram.port);
  if (!path) return ctx_.refuse(&Counters::refused_unreachable, peer, datagram.remote);
  paths_.hear(peer, *path);
  const auto index =
      ctx_.session_writer.reserve(peer, choose_owner(ctx_, datagram.port, datagram.worker));
  if (!index) return ctx_.refuse(&Counters::refused_full, peer, datagram.remote);
  PeerState& s = ctx_.state(peer);
  auto answer = std::make_unique<Answer>(Answer{.state = state,
                                                .remote = remote,
                                                .index = *index,
                                                .message = {},
                                                .keys = {},
                                                .peer = peer,
                                                .worker = datagram.worker});
  s.answering = *index;
  if (answerer_ == nullptr) {
    answer->compute();
  } else if (answerer_->submit(answer)) {
    return;
  } else {
    answer->late = true;
  }
  finish(*answer);
}

unsigned Responder::finish(unsigned most) {
  if (answerer_ == nullptr) return 0;
  unsigned done = 0;
  for (; done < most; ++done) {
    const std::unique_ptr<Answer> answer = answerer_->take();
    if (!answer) break;
    finish(*answer);
  }
  return done;
}

void Responder::finish(Answer& answer) {
  // Whatever ends a peer's handshakes gives up its answer. Another preshared key does not.
  PeerState& s = ctx_.state(answer.peer);
  const bool wanted = s.answering == answer.index;
  if (wanted) s.answering = 0;
  paths_.follow(answer.peer);
  const bool same_keys = crypto::equal(ctx_.book->identity(answer.peer).preshared_key,
                                       answer.remote.preshared_key.bytes());
  if (answer.late) {
    overloaded_ = true;
    ctx_.refuse(&Counters::refused_under_load, answer.peer);
  } else if (!wanted || !same_keys) {
    ctx_.refuse(&Counters::refused_changed, answer.peer);
  } else if (!answer.keys) {  // a low-order ephemeral key
    ctx_.refuse(&Counters::refused_bad_message, answer.peer);
  } else if (const dataplane::PeerPath* path = ctx_.path(answer.peer); path == nullptr) {
    ctx_.refuse(&Counters::refused_unreachable, answer.peer);
  } else {
    return send(answer, *path);
  }
  ctx_.session_writer.retire(answer.index);
}

void Responder::send(Answer& answer, const dataplane::PeerPath& path) {
  PeerState& s = ctx_.state(answer.peer);
  s.heard = ctx_.now.tsc;
  s.worker = answer.worker;
  handshakes_.yield(answer.peer);
  sessions_.begin_answered(answer.peer, *answer.keys);
  const std::span bytes(reinterpret_cast<uint8_t*>(&answer.message), sizeof answer.message);
  handshakes_.write_macs(answer.peer, bytes);
  if (paths_.send(path, bytes, kHandshakeClass)) ++ctx_.counters.responses_sent;
}

}  // namespace wirelay::ctrl
