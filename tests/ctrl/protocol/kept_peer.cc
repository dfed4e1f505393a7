// Both sides of the handshake, and all that comes by it; see kept_peer.h.
#include "tests/ctrl/protocol/kept_peer.h"

#include <algorithm>
#include <cstring>
#include <span>

#include <cppunit/TestAssert.h>

#include "crypto/wire.h"

namespace wirelay::test {

using crypto::MessageType;

namespace {

constexpr uint64_t kFirstStampNs = 1'700'000'000'000'000'000;
constexpr uint64_t kStampNs = uint64_t{1} << 25;  // more than a timestamp is rounded by

template <typename Message>
Message message_from(const KeptPeer::Bytes& bytes) {
  CPPUNIT_ASSERT_EQUAL(sizeof(Message), bytes.size());
  Message message;
  std::memcpy(&message, bytes.data(), sizeof message);
  return message;
}

template <typename Message>
KeptPeer::Bytes with_macs(crypto::MacWriter& macs, Message& message) {
  const std::span bytes(reinterpret_cast<uint8_t*>(&message), sizeof message);
  macs.write(bytes, 0);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

KeptPeer::KeptPeer(const crypto::PublicKey& relay, uint32_t number)
    : self_(crypto::make_identity(crypto::generate_private_key())),
      relay_(crypto::make_remote(self_, relay, {}).value()),
      macs_(relay),
      engine_(crypto::make_engine("libsodium")),
      number_(number) {}

KeptPeer::Bytes KeptPeer::begin() {
  crypto::MessageInitiation message;
  const auto stamp = crypto::make_timestamp(kFirstStampNs + ++stamps_ * kStampNs);
  waiting_.emplace();
  CPPUNIT_ASSERT(
      crypto::create_initiation(self_, relay_, fresh_index(), stamp, message, *waiting_));
  return with_macs(macs_, message);
}

std::optional<KeptPeer::Bytes> KeptPeer::take(Bytes message) {
  switch (static_cast<MessageType>(message.at(0))) {
    case MessageType::kInitiation:
      return answer(message);
    case MessageType::kResponse:
      return finish(message);
    case MessageType::kCookieReply:
      return std::nullopt;  // it asks again later
    case MessageType::kTransport:
      open(message);
      return std::nullopt;
  }
  CPPUNIT_FAIL("a message of no type");
  return std::nullopt;
}

std::optional<KeptPeer::Bytes> KeptPeer::answer(const Bytes& bytes) {
  const auto message = message_from<crypto::MessageInitiation>(bytes);
  auto opened = crypto::open_initiation(self_, message);
  CPPUNIT_ASSERT(opened && crypto::authenticate_initiation(*opened, relay_, message));
  crypto::MessageResponse response;
  const auto keys = crypto::create_response(opened->state, relay_, fresh_index(), response);
  CPPUNIT_ASSERT(keys);
  enter(*keys);
  return with_macs(macs_, response);
}

/// A response to an initiation that was given up for a later one is of no use.
std::optional<KeptPeer::Bytes> KeptPeer::finish(const Bytes& bytes) {
  const auto message = message_from<crypto::MessageResponse>(bytes);
  if (!waiting_ || crypto::load_le32(message.receiver) != waiting_->local_index) {
    return std::nullopt;
  }
  const auto keys = crypto::consume_response(self_, relay_, *waiting_, message);
  CPPUNIT_ASSERT(keys);
  waiting_.reset();
  enter(*keys);
  current_ = keys->local_index;
  return seal({});
}

void KeptPeer::enter(const crypto::TransportKeys& keys) {
  CPPUNIT_ASSERT_MESSAGE("two sessions with one key", keys_.insert(keys.receive.bytes()).second);
  CPPUNIT_ASSERT(sessions_.emplace(keys.local_index, Session{keys, 0, {}, 0}).second);
}

void KeptPeer::open(Bytes& message) {
  constexpr size_t kHead = sizeof(crypto::MessageTransport);
  CPPUNIT_ASSERT(message.size() >= kHead + crypto::kTagBytes);
  const uint32_t index = crypto::load_le32(&message[4]);
  const auto found = sessions_.find(index);
  CPPUNIT_ASSERT_MESSAGE("a session that the peer never had", found != sessions_.end());
  Session& session = found->second;
  const auto length = static_cast<uint32_t>(message.size() - kHead - crypto::kTagBytes);
  crypto::AeadPacket packet{session.keys.receive.data(), crypto::load_le64(&message[8]),
                            message.data() + kHead, length, false};
  engine_->open_burst({&packet, 1});
  CPPUNIT_ASSERT_MESSAGE("a message that does not open", packet.authentic);
  CPPUNIT_ASSERT_MESSAGE("a nonce was used twice", session.counters.insert(packet.counter).second);
  session.empty += length == 0;
  // What the relay begins is used by the relay first.
  if (!session.keys.initiator && index > current_) current_ = index;
}

std::optional<KeptPeer::Bytes> KeptPeer::seal(const Bytes& inner) {
  if (current_ == 0) return std::nullopt;
  Session& session = sessions_.at(current_);
  const size_t padded = (inner.size() + 15) / 16 * 16;
  Bytes message(sizeof(crypto::MessageTransport) + padded + crypto::kTagBytes);
  message[0] = static_cast<uint8_t>(MessageType::kTransport);
  crypto::store_le32(&message[4], session.keys.remote_index);
  crypto::store_le64(&message[8], session.next);
  std::ranges::copy(inner, message.begin() + sizeof(crypto::MessageTransport));
  crypto::AeadPacket packet{session.keys.send.data(), session.next++,
                            message.data() + sizeof(crypto::MessageTransport),
                            static_cast<uint32_t>(padded), false};
  engine_->seal_burst({&packet, 1});
  return message;
}

}  // namespace wirelay::test
