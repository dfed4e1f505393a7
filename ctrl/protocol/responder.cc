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

void Responder::take_initiations(std::span<const Datagram> datagrams) {
  if (datagrams.empty()) return;
  std::vector<crypto::MessageInitiation> messages(datagrams.size());
  for (size_t i = 0; i < datagrams.size(); ++i) {
    std::memcpy(&messages[i], datagrams[i].message.data(), sizeof messages[i]);
  }
  std::vector<Asking> asking = open(datagrams, messages);
  learn_remotes(asking);
  std::vector<crypto::InitiationToAuthenticate> proofs;
  for (Asking& each : asking) proofs.push_back({&each.opened, &each.remote, each.message, {}});
  crypto::authenticate_initiations(proofs);
  std::vector<std::unique_ptr<Answer>> answers;
  for (size_t i = 0; i < asking.size(); ++i) {
    if (!admit(asking[i], proofs[i].timestamp)) continue;
    if (auto answer = begin_answer(asking[i])) answers.push_back(std::move(answer));
  }
  compute(std::move(answers));
}

std::vector<Responder::Asking> Responder::open(
    std::span<const Datagram> datagrams, std::span<const crypto::MessageInitiation> messages) {
  std::vector<crypto::InitiationToOpen> openings;
  for (const auto& message : messages) openings.push_back({&ctx_.identity, &message, {}});
  crypto::open_initiations(openings);
  std::vector<Asking> asking;
  for (size_t i = 0; i < openings.size(); ++i) {
    const auto& opened = openings[i].opened;
    const auto peer = opened ? ctx_.book->find(opened->claimed_static) : std::nullopt;
    if (!peer) {
      ctx_.refuse(opened ? &Counters::refused_unknown_peer : &Counters::refused_bad_message,
                  std::nullopt, datagrams[i].remote);
    } else if (may_ask(*peer, datagrams[i])) {
      asking.push_back({&datagrams[i], &messages[i], *opened, *peer, {}});
    }
  }
  return asking;
}

/// Who has an unusable key cannot have sent anything.
void Responder::learn_remotes(std::vector<Asking>& asking) {
  std::vector<uint32_t> peers;
  for (const Asking& each : asking) peers.push_back(each.peer);
  ctx_.book->compute_secrets(peers, ctx_.identity);
  std::erase_if(asking, [this](Asking& each) {
    const auto remote = ctx_.book->remote(each.peer, ctx_.identity);
    if (remote) {
      each.remote = *remote;
    } else {
      ctx_.refuse(&Counters::refused_bad_message, each.peer, each.datagram->remote);
    }
    return !remote;
  });
}

bool Responder::may_ask(uint32_t peer, const Datagram& datagram) {
  const auto refuse = [&](uint64_t Counters::*why) {
    ctx_.refuse(why, peer, datagram.remote);
    return false;
  };
  if (!ctx_.enabled(peer)) {
    return refuse(ctx_.expired(peer) ? &Counters::refused_expired : &Counters::refused_disabled);
  }
  const PeerState& s = ctx_.state(peer);
  if (s.answering != 0 ||
      (s.initiation != 0 && ctx_.now.tsc - s.initiation < ctx_.milliseconds(kLeastIntervalMs))) {
    return refuse(&Counters::refused_too_soon);
  }
  return true;
}

/// With the sender's timestamp, or none for what was not the sender's. Another of those that came
/// together may have been admitted before: whether it may ask is asked again.
bool Responder::admit(const Asking& asking, const std::optional<crypto::Timestamp>& timestamp) {
  const uint32_t peer = asking.peer;
  const Datagram& datagram = *asking.datagram;
  const auto refuse = [&](uint64_t Counters::*why) {
    ctx_.refuse(why, peer, datagram.remote);
    return false;
  };
  if (!timestamp) return refuse(&Counters::refused_bad_message);
  if (!may_ask(peer, datagram)) return false;
  crypto::Timestamp& greatest = ctx_.book->identity(peer).timestamp;
  if (*timestamp == greatest) return refuse(&Counters::refused_replay);
  if (*timestamp < greatest) {
    ctx_.book->refused_timestamp(peer) = *timestamp;
    warn_of_clock(peer, *timestamp, greatest);
    return refuse(&Counters::refused_clock);
  }
  greatest = *timestamp;
  ctx_.book->refused_timestamp(peer) = {};
  ctx_.state(peer).initiation = ctx_.now.tsc;
  watch_key(peer, datagram.remote);
  if (admission_.closed()) return refuse(&Counters::refused_draining);
  if (!admission_.admit(peer)) return refuse(&Counters::refused_sessions);
  return true;
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

/// Null, and counted, when there is no way or no place for it.
std::unique_ptr<Answer> Responder::begin_answer(const Asking& asking) {
  const uint32_t peer = asking.peer;
  const Datagram& datagram = *asking.datagram;
  const auto refuse = [&](uint64_t Counters::*why) {
    ctx_.refuse(why, peer, datagram.remote);
    return nullptr;
  };
  // The peer is where it asks from, and answered where it is by then: it may have moved on.
  const auto path = paths_.make(datagram.remote, &datagram.local, &datagram.port);
  if (!path) return refuse(&Counters::refused_unreachable);
  paths_.hear(peer, *path);
  const auto index =
      ctx_.session_writer.reserve(peer, choose_owner(ctx_, datagram.port, datagram.worker));
  if (!index) return refuse(&Counters::refused_full);
  ctx_.state(peer).answering = *index;
  return std::make_unique<Answer>(Answer{.state = asking.opened.state,
                                         .remote = asking.remote,
                                         .index = *index,
                                         .message = {},
                                         .keys = {},
                                         .peer = peer,
                                         .worker = datagram.worker});
}

void Responder::compute(std::vector<std::unique_ptr<Answer>> answers) {
  if (answerer_ == nullptr) {
    compute_answers(answers);
  } else {
    for (auto& answer : answers) {
      if (!answerer_->submit(answer)) answer->late = true;
    }
    std::erase(answers, nullptr);  // those that were taken
  }
  for (const auto& answer : answers) finish(*answer);
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
