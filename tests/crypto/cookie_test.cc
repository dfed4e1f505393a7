// Protects what a handshake flood meets first: mac1 refuses what was not made for us, mac2 refuses
// who cannot receive at its address, cookies expire, and a cookie reply is believed only by the
// sender of the very message that it answers.
#include "crypto/cookie.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/crypto/noise_vectors.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

class CookieTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CookieTest);
  CPPUNIT_TEST(mac1_known_answer);
  CPPUNIT_TEST(mac1_covers_the_message);
  CPPUNIT_TEST(mac1_of_other_sizes);
  CPPUNIT_TEST(no_cookie_no_mac2);
  CPPUNIT_TEST(cookie_round_trip);
  CPPUNIT_TEST(cookie_is_bound_to_source_and_responder);
  CPPUNIT_TEST(mac2_tampered);
  CPPUNIT_TEST(writer_forgets_old_cookies);
  CPPUNIT_TEST(jar_forgets_old_secrets);
  CPPUNIT_TEST(reply_tampered);
  CPPUNIT_TEST(reply_for_another_message);
  CPPUNIT_TEST_SUITE_END();

  const PublicKey bob_ = derive_public_key(generate_private_key());
  const Bytes source_ = from_hex("c0000201d431");  // 192.0.2.1, port 54321
  CookieJar jar_{bob_};
  MacWriter writer_{bob_};
  static constexpr uint64_t kNow = 1000;

  /// An initiation with arbitrary contents: macs do not look into it.
  static Bytes make_message(uint8_t salt = 0) {
    Bytes message(sizeof(MessageInitiation), salt);
    message[0] = static_cast<uint8_t>(MessageType::kInitiation);
    store_le32(message.data() + 4, 0xcafe);
    return message;
  }
  Bytes written(uint64_t now, uint8_t salt = 0) {
    Bytes message = make_message(salt);
    writer_.write(message, now);
    return message;
  }
  /// Makes the writer hold a cookie of the jar's.
  void get_cookie(uint64_t now) {
    const Bytes message = written(now);
    CPPUNIT_ASSERT(writer_.consume(jar_.reply(message, source_, now), now));
  }
  static std::string mac2_of(const Bytes& message) {
    return to_hex(std::span(message).last(sizeof(MacTrailer::mac2)));
  }

  void mac1_known_answer() {
    const PublicKey owner = derive_public_key(Secret(bytes32(noise_vectors::kResponderPrivate)));
    Bytes message = from_hex(noise_vectors::kInitiation);
    const Bytes expected = message;
    CPPUNIT_ASSERT(check_mac1(mac1_key(owner), message));
    std::fill(message.end() - sizeof(MacTrailer), message.end(), uint8_t{0xff});
    MacWriter(owner).write(message, kNow);
    CPPUNIT_ASSERT_EQUAL(to_hex(expected), to_hex(message));
  }

  void mac1_covers_the_message() {
    const Bytes32 key = mac1_key(bob_);
    Bytes message = written(kNow);
    CPPUNIT_ASSERT(check_mac1(key, message));
    CPPUNIT_ASSERT(!check_mac1(mac1_key(derive_public_key(generate_private_key())), message));
    for (size_t i = 0; i < message.size(); ++i) {
      message[i] ^= 0x10;
      const bool in_mac2 = i >= message.size() - sizeof(MacTrailer::mac2);
      CPPUNIT_ASSERT_EQUAL(in_mac2, check_mac1(key, message));
      message[i] ^= 0x10;
    }
  }

  void mac1_of_other_sizes() {
    const Bytes32 key = mac1_key(bob_);
    for (size_t size = 0; size <= 256; ++size) {
      CPPUNIT_ASSERT(!check_mac1(key, sequence(size)));
      CPPUNIT_ASSERT(!jar_.check_mac2(sequence(size), source_, kNow));
    }
    Bytes response(sizeof(MessageResponse));
    writer_.write(response, kNow);
    CPPUNIT_ASSERT(check_mac1(key, response));
  }

  void no_cookie_no_mac2() {
    const Bytes message = written(kNow);
    CPPUNIT_ASSERT_EQUAL(std::string(32, '0'), mac2_of(message));
    CPPUNIT_ASSERT(!jar_.check_mac2(message, source_, kNow));
  }

  void cookie_round_trip() {
    const Bytes message = written(kNow);
    const MessageCookieReply reply = jar_.reply(message, source_, kNow);
    CPPUNIT_ASSERT_EQUAL(3, int{reply.header.type});
    CPPUNIT_ASSERT_EQUAL(uint32_t{0xcafe}, load_le32(reply.receiver));
    CPPUNIT_ASSERT(writer_.consume(reply, kNow));
    for (const uint8_t salt : {0, 1}) {
      const Bytes again = written(kNow + 1, salt);
      CPPUNIT_ASSERT(check_mac1(mac1_key(bob_), again));
      CPPUNIT_ASSERT(jar_.check_mac2(again, source_, kNow + 1));
    }
  }

  void cookie_is_bound_to_source_and_responder() {
    get_cookie(kNow);
    const Bytes message = written(kNow);
    for (size_t i = 0; i < source_.size(); ++i) {
      Bytes other = source_;
      other[i] ^= 1;
      CPPUNIT_ASSERT(!jar_.check_mac2(message, other, kNow));
    }
    CookieJar restarted(bob_);  // another secret
    CPPUNIT_ASSERT(!restarted.check_mac2(message, source_, kNow));
  }

  void mac2_tampered() {
    get_cookie(kNow);
    Bytes message = written(kNow);
    for (size_t i = 0; i < message.size(); ++i) {
      message[i] ^= 0x01;
      CPPUNIT_ASSERT(!jar_.check_mac2(message, source_, kNow));
      message[i] ^= 0x01;
    }
    CPPUNIT_ASSERT(jar_.check_mac2(message, source_, kNow));
  }

  void writer_forgets_old_cookies() {
    get_cookie(kNow);
    CPPUNIT_ASSERT(mac2_of(written(kNow + kCookieRefreshTime - 1)) != std::string(32, '0'));
    CPPUNIT_ASSERT_EQUAL(std::string(32, '0'), mac2_of(written(kNow + kCookieRefreshTime)));
  }

  void jar_forgets_old_secrets() {
    get_cookie(kNow);  // the jar's secret is born here
    const Bytes message = written(kNow);
    CPPUNIT_ASSERT(jar_.check_mac2(message, source_, kNow + kCookieRefreshTime - 1));
    // The secret changes; the one before stays valid as long as a client may hold its cookie.
    CPPUNIT_ASSERT(jar_.check_mac2(message, source_, kNow + kCookieRefreshTime));
    CPPUNIT_ASSERT(jar_.check_mac2(message, source_, kNow + uint64_t{2} * kCookieRefreshTime - 1));
    CPPUNIT_ASSERT(!jar_.check_mac2(message, source_, kNow + uint64_t{2} * kCookieRefreshTime));

    // The same when nobody asked in between.
    CookieJar idle(bob_);
    const Bytes first = written(kNow);
    CPPUNIT_ASSERT(writer_.consume(idle.reply(first, source_, kNow), kNow));
    const Bytes second = written(kNow);
    CPPUNIT_ASSERT(idle.check_mac2(second, source_, kNow));
    CPPUNIT_ASSERT(!idle.check_mac2(second, source_, kNow + uint64_t{2} * kCookieRefreshTime));
  }

  void reply_tampered() {
    const Bytes message = written(kNow);
    const MessageCookieReply genuine = jar_.reply(message, source_, kNow);
    for (size_t i = 0; i < sizeof genuine; ++i) {
      const bool reserved_or_receiver = i >= 1 && i < offsetof(MessageCookieReply, nonce);
      if (reserved_or_receiver) continue;  // the caller matches the receiver
      MessageCookieReply forged = genuine;
      reinterpret_cast<uint8_t*>(&forged)[i] ^= 0x20;
      CPPUNIT_ASSERT_MESSAGE("byte " + std::to_string(i), !writer_.consume(forged, kNow));
    }
    CPPUNIT_ASSERT(writer_.consume(genuine, kNow));
    CPPUNIT_ASSERT(!writer_.consume(genuine, kNow));  // once only
  }

  void reply_for_another_message() {
    const MessageCookieReply early = jar_.reply(make_message(), source_, kNow);
    CPPUNIT_ASSERT(!writer_.consume(early, kNow));  // nothing was sent yet
    const Bytes first = written(kNow, 1);
    const MessageCookieReply stale = jar_.reply(first, source_, kNow);
    const Bytes second = written(kNow, 2);
    CPPUNIT_ASSERT(!writer_.consume(stale, kNow));
    CPPUNIT_ASSERT(writer_.consume(jar_.reply(second, source_, kNow), kNow));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CookieTest);

}  // namespace wirelay::test
