// Protects the handshake: it is WireGuard's (a fixed handshake from an independent implementation
// is understood to the last byte), both sides agree on keys, every byte of a message matters, and
// keys that everyone could compute are refused.
#include "crypto/noise.h"

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "tests/crypto/noise_vectors.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

constexpr uint32_t kInitiatorIndex = 0x12345678;
constexpr uint32_t kResponderIndex = 0xdeadbeef;
constexpr size_t kSenderEnd = 8;  // header and sender index: only mac1 covers them

template <typename Message>
std::span<uint8_t> bytes_of(Message& message) {
  return {reinterpret_cast<uint8_t*>(&message), sizeof message};
}

template <typename Message>
Message message_from(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  CPPUNIT_ASSERT_EQUAL(sizeof(Message), bytes.size());
  Message message{};
  std::memcpy(&message, bytes.data(), bytes.size());
  return message;
}

/// Two parties that know each other.
struct Pair {
  explicit Pair(const Secret& preshared)
      : alice(make_identity(generate_private_key())),
        bob(make_identity(generate_private_key())),
        bob_for_alice(make_remote(alice, bob.public_key, preshared).value()),
        alice_for_bob(make_remote(bob, alice.public_key, preshared).value()) {}

  /// Message 1, from Alice, with its macs.
  MessageInitiation initiate() {
    MessageInitiation message{};
    CPPUNIT_ASSERT(create_initiation(alice, bob_for_alice, kInitiatorIndex,
                                     make_timestamp(1'700'000'000'000'000'000), message, state));
    MacWriter(bob.public_key).write(bytes_of(message), 0);
    return message;
  }

  /// All that Bob checks of message 1; the timestamp when he believes it.
  std::optional<Timestamp> receive(const MessageInitiation& message) {
    MessageInitiation copy = message;
    if (!check_mac1(mac1_key(bob.public_key), bytes_of(copy))) return std::nullopt;
    opened = open_initiation(bob, message);
    if (!opened || opened->claimed_static != alice.public_key) return std::nullopt;
    return authenticate_initiation(*opened, alice_for_bob, message);
  }

  /// Message 2, from Bob, with its macs.
  MessageResponse respond() {
    MessageResponse message{};
    bob_keys = create_response(opened->state, alice_for_bob, kResponderIndex, message);
    CPPUNIT_ASSERT(bob_keys);
    MacWriter(alice.public_key).write(bytes_of(message), 0);
    return message;
  }

  /// All that Alice checks of message 2.
  std::optional<TransportKeys> finish(const MessageResponse& message) {
    MessageResponse copy = message;
    if (!check_mac1(mac1_key(alice.public_key), bytes_of(copy))) return std::nullopt;
    return consume_response(alice, bob_for_alice, state, message);
  }

  Identity alice, bob;
  RemoteIdentity bob_for_alice, alice_for_bob;
  HandshakeState state;
  std::optional<OpenedInitiation> opened;
  std::optional<TransportKeys> bob_keys;
};

/// A point whose every multiple by a clamped scalar is zero.
PublicKey low_order_point() {
  return bytes32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
}

}  // namespace

class NoiseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NoiseTest);
  CPPUNIT_TEST(timestamps);
  CPPUNIT_TEST(fixed_initiation_is_opened);
  CPPUNIT_TEST(fixed_response_is_consumed);
  CPPUNIT_TEST(both_sides_agree);
  CPPUNIT_TEST(keys_differ_each_time);
  CPPUNIT_TEST(every_byte_of_the_initiation_matters);
  CPPUNIT_TEST(every_byte_of_the_response_matters);
  CPPUNIT_TEST(wrong_preshared_key);
  CPPUNIT_TEST(wrong_parties);
  CPPUNIT_TEST(claim_without_the_key);
  CPPUNIT_TEST(response_of_another_handshake);
  CPPUNIT_TEST(states_are_wiped);
  CPPUNIT_TEST(low_order_points);
  CPPUNIT_TEST_SUITE_END();

  void timestamps() {
    CPPUNIT_ASSERT_EQUAL(std::string("400000000000000a00000000"), to_hex(make_timestamp(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("400000006553f10a00000000"),
                         to_hex(make_timestamp(1'700'000'000'000'000'000)));
    // 2^24 ns is one grain: below it nothing moves, and it never carries into the seconds.
    const uint64_t second = 1'700'000'000'000'000'000;
    CPPUNIT_ASSERT(make_timestamp(second) == make_timestamp(second + (1 << 24) - 1));
    CPPUNIT_ASSERT(make_timestamp(second) < make_timestamp(second + (1 << 24)));
    CPPUNIT_ASSERT_EQUAL(std::string("400000006553f10a3b000000"),
                         to_hex(make_timestamp(second + 999'999'999)));
    CPPUNIT_ASSERT(make_timestamp(second + 999'999'999) < make_timestamp(second + 1'000'000'000));
  }

  static RemoteIdentity fixed_remote(const Identity& self, std::string_view peer_private) {
    return make_remote(self, derive_public_key(Secret(bytes32(peer_private))),
                       Secret(bytes32(noise_vectors::kPresharedKey)))
        .value();
  }

  void fixed_initiation_is_opened() {
    using namespace noise_vectors;
    const Identity responder = make_identity(Secret(bytes32(kResponderPrivate)));
    const RemoteIdentity initiator = fixed_remote(responder, kInitiatorPrivate);
    auto message = message_from<MessageInitiation>(kInitiation);
    CPPUNIT_ASSERT(check_mac1(mac1_key(responder.public_key), bytes_of(message)));
    auto opened = open_initiation(responder, message);
    CPPUNIT_ASSERT(opened);
    CPPUNIT_ASSERT_EQUAL(to_hex(initiator.public_key), to_hex(opened->claimed_static));
    CPPUNIT_ASSERT_EQUAL(kInitiatorIndex, opened->state.remote_index);
    const auto timestamp = authenticate_initiation(*opened, initiator, message);
    CPPUNIT_ASSERT(timestamp);
    CPPUNIT_ASSERT_EQUAL(std::string(kTimestamp), to_hex(*timestamp));
    CPPUNIT_ASSERT_EQUAL(std::string(kChainingKeyAfterInitiation),
                         to_hex(opened->state.chaining_key.bytes()));
    CPPUNIT_ASSERT_EQUAL(std::string(kHashAfterInitiation), to_hex(opened->state.hash));
  }

  void fixed_response_is_consumed() {
    using namespace noise_vectors;
    const Identity initiator = make_identity(Secret(bytes32(kInitiatorPrivate)));
    const RemoteIdentity responder = fixed_remote(initiator, kResponderPrivate);
    auto message = message_from<MessageResponse>(kResponse);
    CPPUNIT_ASSERT(check_mac1(mac1_key(initiator.public_key), bytes_of(message)));
    HandshakeState state;
    state.chaining_key = Secret(bytes32(kChainingKeyAfterInitiation));
    state.hash = bytes32(kHashAfterInitiation);
    state.ephemeral = Secret(bytes32(kInitiatorEphemeral));
    state.local_index = kInitiatorIndex;
    const auto keys = consume_response(initiator, responder, state, message);
    CPPUNIT_ASSERT(keys);
    CPPUNIT_ASSERT_EQUAL(std::string(kInitiatorSends), to_hex(keys->send.bytes()));
    CPPUNIT_ASSERT_EQUAL(std::string(kResponderSends), to_hex(keys->receive.bytes()));
    CPPUNIT_ASSERT_EQUAL(kResponderIndex, keys->remote_index);
  }

  void both_sides_agree() {
    for (const Secret& preshared : {Secret(), generate_preshared_key()}) {
      Pair pair(preshared);
      const MessageInitiation initiation = pair.initiate();
      const auto timestamp = pair.receive(initiation);
      CPPUNIT_ASSERT(timestamp);
      CPPUNIT_ASSERT(*timestamp == make_timestamp(1'700'000'000'000'000'000));
      const auto alice_keys = pair.finish(pair.respond());
      CPPUNIT_ASSERT(alice_keys);
      CPPUNIT_ASSERT(alice_keys->send.bytes() == pair.bob_keys->receive.bytes());
      CPPUNIT_ASSERT(alice_keys->receive.bytes() == pair.bob_keys->send.bytes());
      CPPUNIT_ASSERT(alice_keys->send.bytes() != alice_keys->receive.bytes());
      CPPUNIT_ASSERT_EQUAL(kInitiatorIndex, alice_keys->local_index);
      CPPUNIT_ASSERT_EQUAL(kResponderIndex, alice_keys->remote_index);
      CPPUNIT_ASSERT_EQUAL(kResponderIndex, pair.bob_keys->local_index);
      CPPUNIT_ASSERT_EQUAL(kInitiatorIndex, pair.bob_keys->remote_index);
      CPPUNIT_ASSERT(alice_keys->initiator && !pair.bob_keys->initiator);
    }
  }

  void keys_differ_each_time() {
    Pair pair{Secret()};
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const auto first = pair.finish(pair.respond());
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const auto second = pair.finish(pair.respond());
    CPPUNIT_ASSERT(first && second);
    CPPUNIT_ASSERT(first->send.bytes() != second->send.bytes());
    CPPUNIT_ASSERT(first->receive.bytes() != second->receive.bytes());
  }

  void every_byte_of_the_initiation_matters() {
    Pair pair{Secret()};
    const MessageInitiation genuine = pair.initiate();
    for (size_t i = 0; i < sizeof genuine - sizeof genuine.macs.mac2; ++i) {
      MessageInitiation forged = genuine;
      bytes_of(forged)[i] ^= static_cast<uint8_t>(1u << i % 8);
      CPPUNIT_ASSERT_MESSAGE("mac1 leaves byte " + std::to_string(i), !pair.receive(forged));
      if (i < kSenderEnd || i >= offsetof(MessageInitiation, macs)) continue;
      // mac1 is no secret: with it made anew, the handshake itself must refuse.
      MacWriter(pair.bob.public_key).write(bytes_of(forged), 0);
      CPPUNIT_ASSERT_MESSAGE("Noise leaves byte " + std::to_string(i), !pair.receive(forged));
    }
    CPPUNIT_ASSERT(pair.receive(genuine));
  }

  void every_byte_of_the_response_matters() {
    Pair pair(generate_preshared_key());
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const MessageResponse genuine = pair.respond();
    for (size_t i = 0; i < sizeof genuine - sizeof genuine.macs.mac2; ++i) {
      MessageResponse forged = genuine;
      bytes_of(forged)[i] ^= static_cast<uint8_t>(1u << i % 8);
      CPPUNIT_ASSERT_MESSAGE("mac1 leaves byte " + std::to_string(i), !pair.finish(forged));
      if (i < kSenderEnd || i >= offsetof(MessageResponse, macs)) continue;
      MacWriter(pair.alice.public_key).write(bytes_of(forged), 0);
      CPPUNIT_ASSERT_MESSAGE("Noise leaves byte " + std::to_string(i), !pair.finish(forged));
    }
    // After all these forgeries the state is unchanged: the genuine response still ends it.
    const auto keys = pair.finish(genuine);
    CPPUNIT_ASSERT(keys);
    CPPUNIT_ASSERT(keys->send.bytes() == pair.bob_keys->receive.bytes());
  }

  void wrong_preshared_key() {
    Pair pair(generate_preshared_key());
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const MessageResponse response = pair.respond();
    const Secret right = pair.bob_for_alice.preshared_key;
    pair.bob_for_alice.preshared_key = generate_preshared_key();
    CPPUNIT_ASSERT(!pair.finish(response));
    pair.bob_for_alice.preshared_key = Secret();
    CPPUNIT_ASSERT(!pair.finish(response));
    pair.bob_for_alice.preshared_key = right;
    CPPUNIT_ASSERT(pair.finish(response));
  }

  void wrong_parties() {
    Pair pair{Secret()};
    const Identity other = make_identity(generate_private_key());
    const MessageInitiation message = pair.initiate();
    CPPUNIT_ASSERT(!open_initiation(other, message));
    auto opened = open_initiation(pair.bob, message);
    CPPUNIT_ASSERT(opened);
    // Looked up as the wrong peer: refused, and the right one still gets through.
    const RemoteIdentity wrong = make_remote(pair.bob, other.public_key, Secret()).value();
    CPPUNIT_ASSERT(!authenticate_initiation(*opened, wrong, message));
    CPPUNIT_ASSERT(authenticate_initiation(*opened, pair.alice_for_bob, message));
  }

  /// Who knows only public keys can name Alice, but not prove to be her.
  void claim_without_the_key() {
    Pair pair{Secret()};
    Identity impostor = make_identity(generate_private_key());
    const RemoteIdentity bob = make_remote(impostor, pair.bob.public_key, Secret()).value();
    impostor.public_key = pair.alice.public_key;
    MessageInitiation message{};
    HandshakeState state;
    CPPUNIT_ASSERT(create_initiation(impostor, bob, 1, make_timestamp(0), message, state));
    auto opened = open_initiation(pair.bob, message);
    CPPUNIT_ASSERT(opened && opened->claimed_static == pair.alice.public_key);
    CPPUNIT_ASSERT(!authenticate_initiation(*opened, pair.alice_for_bob, message));
  }

  void response_of_another_handshake() {
    Pair pair{Secret()};
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const MessageResponse first = pair.respond();
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const MessageResponse second = pair.respond();
    CPPUNIT_ASSERT(!pair.finish(first));
    CPPUNIT_ASSERT(pair.finish(second));
    CPPUNIT_ASSERT(!pair.finish(second));  // the state is gone
  }

  void states_are_wiped() {
    Pair pair{Secret()};
    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    const MessageResponse response = pair.respond();
    CPPUNIT_ASSERT(pair.opened->state.chaining_key.is_zero());
    CPPUNIT_ASSERT(!pair.state.ephemeral.is_zero() && !pair.state.chaining_key.is_zero());
    CPPUNIT_ASSERT(pair.finish(response));
    CPPUNIT_ASSERT(pair.state.ephemeral.is_zero() && pair.state.chaining_key.is_zero());
  }

  void low_order_points() {
    const PublicKey low = low_order_point();
    Pair pair{Secret()};
    CPPUNIT_ASSERT(!make_remote(pair.alice, low, Secret()));
    MessageInitiation initiation{};
    HandshakeState state;
    const RemoteIdentity low_remote{low, {}, {}};
    CPPUNIT_ASSERT(
        !create_initiation(pair.alice, low_remote, 1, make_timestamp(0), initiation, state));

    initiation = pair.initiate();
    std::memcpy(initiation.ephemeral, low.data(), low.size());
    CPPUNIT_ASSERT(!open_initiation(pair.bob, initiation));

    CPPUNIT_ASSERT(pair.receive(pair.initiate()));
    HandshakeState with_low_ephemeral = pair.opened->state;
    with_low_ephemeral.remote_ephemeral = low;
    MessageResponse response{};
    CPPUNIT_ASSERT(!create_response(with_low_ephemeral, pair.alice_for_bob, 1, response));

    response = pair.respond();
    std::memcpy(response.ephemeral, low.data(), low.size());
    CPPUNIT_ASSERT(!consume_response(pair.alice, pair.bob_for_alice, pair.state, response));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NoiseTest);

}  // namespace wirelay::test
