// Answering handshakes. What costs little is checked first: most of the cost is X25519.
#include "ctrl/protocol/responder.h"

#include <cstring>

#include "crypto/wire.h"

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kLeastIntervalMs = 20;  // between initiations of one peer, as in Linux

}  // namespace

void Responder::take_initiation(const Datagram& datagram) {
  crypto::MessageInitiation message;
  std::memcpy(&message, datagram.message.data(), sizeof message);
  auto opened = crypto::open_initiation(ctx_.identity, message);
  if (!opened) {
    ++ctx_.counters.refused_bad_message;
    return;
  }
  const auto peer = ctx_.book->find(opened->claimed_static);
  if (!peer) {
    ++ctx_.counters.refused_unknown_peer;
    return;
  }
  if (!ctx_.enabled(*peer)) {
    ++ctx_.counters.refused_disabled;
    return;
  }
  PeerState& s = ctx_.state(*peer);
  if (s.initiation != 0 && ctx_.now.tsc - s.initiation < ctx_.milliseconds(kLeastIntervalMs)) {
    ++ctx_.counters.refused_too_soon;
    return;
  }
  const auto remote = ctx_.book->remote(*peer, ctx_.identity);
  const auto timestamp =
      remote ? crypto::authenticate_initiation(*opened, *remote, message) : std::nullopt;
  if (!timestamp) {
    ++ctx_.counters.refused_bad_message;
    return;
  }
  crypto::Timestamp& greatest = ctx_.book->identity(*peer).timestamp;
  if (*timestamp <= greatest) {
    ++ctx_.counters.refused_replay;
    return;
  }
  greatest = *timestamp;
  s.initiation = ctx_.now.tsc;
  answer(*peer, datagram, opened->state, *remote);
}

void Responder::answer(uint32_t peer, const Datagram& datagram, crypto::HandshakeState& state,
                       const crypto::RemoteIdentity& remote) {
  const auto path = paths_.make(datagram.remote, &datagram.local.addr, &datagram.port);
  if (!path) {
    ++ctx_.counters.refused_unreachable;
    return;
  }
  const auto index = ctx_.session_writer.reserve(peer, datagram.worker);
  if (!index) {
    ++ctx_.counters.refused_full;
    return;
  }
  crypto::MessageResponse message;
  const auto keys = crypto::create_response(state, remote, *index, message);
  if (!keys) {  // a low-order ephemeral key
    ctx_.session_writer.retire(*index);
    ++ctx_.counters.refused_bad_message;
    return;
  }
  PeerState& s = ctx_.state(peer);
  s.heard = ctx_.now.tsc;
  s.worker = datagram.worker;
  if (paths_.set(peer, *path)) ++ctx_.counters.roamed;
  handshakes_.yield(peer);
  sessions_.begin_answered(peer, *keys);
  const std::span bytes(reinterpret_cast<uint8_t*>(&message), sizeof message);
  handshakes_.write_macs(peer, bytes);
  if (paths_.send(*path, bytes)) ++ctx_.counters.responses_sent;
}

}  // namespace wirelay::ctrl
