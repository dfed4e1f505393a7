// State between the messages of handshakes.
#include "ctrl/protocol/handshakes.h"

#include <utility>

#include "crypto/wire.h"

namespace wirelay::ctrl {

Handshake* Handshakes::find(uint32_t peer) {
  if ((ctx_.state(peer).flags & kHandshaking) == 0) return nullptr;
  return &under_way_.at(peer);
}

Handshake& Handshakes::get(uint32_t peer) {
  PeerState& s = ctx_.state(peer);
  s.flags |= kHandshaking;
  ctx_.book->activate(peer);
  return under_way_.try_emplace(peer, ctx_.book->identity(peer).public_key).first->second;
}

void Handshakes::write_macs(uint32_t peer, std::span<uint8_t> message) {
  Handshake& handshake = get(peer);
  handshake.macs.write(message, ctx_.now_seconds());
  handshake.used = ctx_.now.tsc;
  ctx_.state(peer).sent = ctx_.now.tsc;
}

void Handshakes::set_retry(Handshake& handshake) const {
  handshake.retry = ctx_.now.tsc + ctx_.seconds(crypto::kRekeyTimeout) +
                    ctx_.milliseconds(crypto::random_u32() % kJitterMs);
}

void Handshakes::yield(uint32_t peer) {
  Handshake* handshake = find(peer);
  if (handshake == nullptr || handshake->retry == 0) return;
  handshake->state = {};
  if (handshake->index != 0) ctx_.session_writer.retire(std::exchange(handshake->index, 0));
  set_retry(*handshake);
}

void Handshakes::finish(uint32_t peer) {
  Handshake* handshake = find(peer);
  if (handshake == nullptr) return;
  handshake->state = {};
  if (handshake->index != 0) ctx_.session_writer.retire(std::exchange(handshake->index, 0));
  handshake->retry = 0;
  if (!handshake->macs.has_cookie()) abort(peer);
}

void Handshakes::abort(uint32_t peer) {
  Handshake* handshake = find(peer);
  if (handshake == nullptr) return;
  if (handshake->index != 0) ctx_.session_writer.retire(handshake->index);
  under_way_.erase(peer);
  PeerState& s = ctx_.state(peer);
  s.flags = static_cast<uint8_t>(s.flags & ~kHandshaking);
}

void Handshakes::forget_stale(uint32_t peer) {
  const Handshake* handshake = find(peer);
  if (handshake != nullptr && handshake->retry == 0 &&
      ctx_.now.tsc - handshake->used >= ctx_.seconds(crypto::kCookieRefreshTime)) {
    abort(peer);
  }
}

bool Handshakes::take_cookie(const crypto::MessageCookieReply& reply) {
  const uint32_t receiver = crypto::load_le32(reply.receiver);
  const auto peer = ctx_.session_writer.peer_of(receiver);
  if (!peer || !ctx_.enabled(*peer)) return false;
  Handshake* handshake = find(*peer);
  // The message was an initiation of ours, or a response, whose session waits for its first packet.
  if (handshake == nullptr ||
      (receiver != handshake->index && receiver != ctx_.state(*peer).next)) {
    return false;
  }
  return handshake->macs.consume(reply, ctx_.now_seconds());
}

}  // namespace wirelay::ctrl
