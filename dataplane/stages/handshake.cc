// Which handshake messages the control thread gets, see handshake.h.
#include "dataplane/stages/handshake.h"

#include <optional>

#include "crypto/cookie.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/udp_checksum.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

using crypto::MessageType;

/// What it is, by type and size; nullopt for anything but a handshake message.
std::optional<MessageType> kind_of(std::span<const uint8_t> message) noexcept {
  const auto is = [&, type = crypto::load_le32(message.data())](MessageType t, size_t bytes) {
    return type == static_cast<uint32_t>(t) && message.size() == bytes;
  };
  if (is(MessageType::kInitiation, sizeof(crypto::MessageInitiation))) {
    return MessageType::kInitiation;
  }
  if (is(MessageType::kResponse, sizeof(crypto::MessageResponse))) return MessageType::kResponse;
  if (is(MessageType::kCookieReply, sizeof(crypto::MessageCookieReply))) {
    return MessageType::kCookieReply;
  }
  return std::nullopt;
}

uint32_t receiver_of(MessageType kind, std::span<const uint8_t> message) noexcept {
  return crypto::load_le32(message.data() + (kind == MessageType::kResponse
                                                 ? offsetof(crypto::MessageResponse, receiver)
                                                 : offsetof(crypto::MessageCookieReply, receiver)));
}

HandshakeVerdict check_initiation(Worker& worker, const uint8_t* ip,
                                  std::span<const uint8_t> message) noexcept {
  constexpr auto kPunt = PuntReason::kHandshake;
  if (!crypto::check_mac1(worker.shared.mac1_key, message)) return {Drop::kBadMac1, kPunt};
  const IpAddr source = source_of(ip);
  const uint64_t network = network_of(source);
  if (worker.shared.known_sources.has(source, worker.now) &&
      worker.allowances.known_initiations.take(worker.now, network)) {
    return {Drop::kNone, PuntReason::kExpected};
  }
  const bool allowed = worker.allowances.initiations.take(worker.now, network);
  return {allowed ? Drop::kNone : Drop::kHandshakeFlood, kPunt};
}

Drop check_response(Worker& worker, std::span<const uint8_t> message) noexcept {
  const uint32_t receiver = receiver_of(MessageType::kResponse, message);
  if (!worker.shared.sessions.awaits_response(receiver)) return Drop::kUnasked;
  if (!crypto::check_mac1(worker.shared.mac1_key, message)) return Drop::kBadMac1;
  return worker.allowances.responses.take(worker.now, receiver) ? Drop::kNone
                                                                : Drop::kHandshakeFlood;
}

Drop check_cookie_reply(Worker& worker, std::span<const uint8_t> message) noexcept {
  const uint32_t receiver = receiver_of(MessageType::kCookieReply, message);
  if (!worker.shared.sessions.awaits_cookie(receiver)) return Drop::kUnasked;
  return worker.allowances.cookie_replies.take(worker.now, receiver) ? Drop::kNone
                                                                     : Drop::kHandshakeFlood;
}

}  // namespace

HandshakeVerdict check_handshake(Worker& worker, const rte_mbuf& frame, const uint8_t* ip,
                                 const uint8_t* udp, std::span<const uint8_t> message) noexcept {
  constexpr auto kPunt = PuntReason::kExpected;
  const auto kind = kind_of(message);
  if (!kind) return {Drop::kUnknownMessage, kPunt};
  if (!udp_arrived_whole(frame, ip, udp)) return {Drop::kBadChecksum, kPunt};
  switch (*kind) {
    case MessageType::kInitiation:
      return check_initiation(worker, ip, message);
    case MessageType::kResponse:
      return {check_response(worker, message), kPunt};
    default:
      return {check_cookie_reply(worker, message), kPunt};
  }
}

}  // namespace wirelay::dataplane::stages
