// Beginning handshakes.
#include "ctrl/protocol/initiator.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crypto/wire.h"
#include "ctrl/protocol/owners.h"

namespace wirelay::ctrl {

namespace {

/// How often an initiation is sent again: with the first there are 20, as in the Linux kernel,
/// whose MAX_TIMER_HANDSHAKES of 18 counts neither the first nor the last.
constexpr uint32_t kMostRetries = 19;

constexpr uint64_t kMostPerSecond = 2000;
constexpr uint64_t kInitiationsAtOnce = 16;

}  // namespace

Initiator::Initiator(Context& ctx, Handshakes& handshakes, Sessions& sessions, Admission& admission,
                     Paths& paths, HeldPackets& held, Transport& transport)
    : ctx_(ctx),
      handshakes_(handshakes),
      sessions_(sessions),
      admission_(admission),
      paths_(paths),
      held_(held),
      transport_(transport),
      cost_(ctx.shared.tsc_hz / kMostPerSecond),
      budget_(kInitiationsAtOnce * cost_) {}

void Initiator::allow(uint64_t elapsed_tsc) noexcept {
  budget_ = std::min(budget_ + elapsed_tsc, kInitiationsAtOnce * cost_);
}

bool Initiator::start(uint32_t peer) {
  if (!ctx_.enabled(peer)) return false;
  const PeerState& s = ctx_.state(peer);
  if (s.sent != 0 && ctx_.now.tsc - s.sent < ctx_.seconds(crypto::kRekeyTimeout)) return true;
  if (handshakes_.seeks(peer) || budget_ < cost_) return true;
  if (!admission_.has_room(peer) || !paths_.refresh(peer)) return false;
  Handshake& handshake = handshakes_.get(peer);
  handshake.wanted = ctx_.now.tsc;
  handshake.retries = 0;
  const bool sent = send(peer, handshake);
  if (!sent) handshakes_.finish(peer);
  return sent;
}

void Initiator::renew(uint32_t peer, uint64_t when) {
  Handshake* handshake = handshakes_.find(peer);
  if (handshake == nullptr || when <= handshake->wanted) return;
  handshake->wanted = when;
  handshake->retries = 0;
}

void Initiator::check(uint32_t peer) {
  Handshake* handshake = handshakes_.find(peer);
  if (handshake == nullptr || handshake->retry == 0) {
    handshakes_.forget_stale(peer);
    return;
  }
  if (ctx_.now.tsc < handshake->retry) return;
  if (handshake->retries == kMostRetries) {
    give_up(peer);
    return;
  }
  if (budget_ < cost_) return;
  ++handshake->retries;
  const bool goes_on = admission_.has_room(peer) && paths_.refresh(peer);
  if (!goes_on || !send(peer, *handshake)) give_up(peer);
}

/// Each initiation has an index and an ephemeral key of its own.
bool Initiator::send(uint32_t peer, Handshake& handshake) {
  budget_ -= cost_;
  const auto remote = ctx_.book->remote(peer, ctx_.identity);
  if (!remote) return false;
  // The last one's slot is free at once, so that a peer has one in the making and never two.
  if (handshake.index != 0) ctx_.session_writer.retire(std::exchange(handshake.index, 0));
  const auto index = ctx_.session_writer.reserve(
      peer, choose_owner(ctx_, ctx_.path(peer)->port, ctx_.state(peer).worker));
  if (!index) {
    ctx_.refuse(&ProtocolCounters::refused_full, peer);
    return false;
  }
  handshake.index = *index;
  crypto::MessageInitiation message;
  if (!crypto::create_initiation(ctx_.identity, *remote, *index, crypto::make_timestamp(stamp_ns()),
                                 message, handshake.state)) {
    return false;
  }
  const std::span bytes(reinterpret_cast<uint8_t*>(&message), sizeof message);
  handshakes_.write_macs(peer, bytes);
  handshakes_.set_retry(handshake);
  if (paths_.send(*ctx_.path(peer), bytes, kHandshakeClass)) ++ctx_.counters.initiations_sent;
  return true;
}

uint64_t Initiator::stamp_ns() noexcept {
  stamp_ns_ = std::max(ctx_.now.unix_ns, stamp_ns_ + (ctx_.now.ns - stamped_ns_));
  stamped_ns_ = ctx_.now.ns;
  return stamp_ns_;
}

void Initiator::give_up(uint32_t peer) {
  handshakes_.finish(peer);
  ctx_.counters.held_dropped += held_.drop(peer);
  PeerState& s = ctx_.state(peer);
  s.flags = static_cast<uint8_t>(s.flags & ~kHolding);
}

void Initiator::take_response(const Datagram& datagram) {
  crypto::MessageResponse message;
  std::memcpy(&message, datagram.message.data(), sizeof message);
  const uint32_t index = crypto::load_le32(message.receiver);
  const auto peer = ctx_.session_writer.peer_of(index);
  Handshake* handshake = peer && ctx_.enabled(*peer) ? handshakes_.find(*peer) : nullptr;
  if (handshake == nullptr || handshake->index != index || index == 0) {
    return ctx_.refuse(&ProtocolCounters::refused_bad_message, std::nullopt, datagram.remote);
  }
  const auto remote = ctx_.book->remote(*peer, ctx_.identity);
  const auto keys = crypto::consume_response(ctx_.identity, *remote, handshake->state, message);
  if (!keys) {
    return ctx_.refuse(&ProtocolCounters::refused_bad_message, *peer, datagram.remote);
  }
  if (!admission_.has_room(*peer)) {  // another has come meanwhile
    ++ctx_.counters.refused_sessions;
    give_up(*peer);
    return;
  }
  admission_.admit(*peer);
  PeerState& s = ctx_.state(*peer);
  s.heard = ctx_.now.tsc;
  s.worker = datagram.worker;
  handshake->index = 0;  // published, not to be given back
  handshakes_.finish(*peer);
  sessions_.begin_initiated(*peer, *keys);
  if (const auto path = paths_.make(datagram.remote, &datagram.local, &datagram.port)) {
    paths_.hear(*peer, *path);
  }
  // The peer may send only when it has heard from us with the new session: at once, if need be
  // with an empty packet.
  if (transport_.send_held(*peer) == 0) transport_.keepalive(*peer);
}

}  // namespace wirelay::ctrl
