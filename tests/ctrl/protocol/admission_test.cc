// Protects how many of a user's devices are connected at once: one too many is refused, or takes
// the place of the one that is connected longest; who is silent, or renews its session, is none too
// many; and the relay itself takes nobody's place for another. And that a user whose time is over
// shakes no hands.
#include "ctrl/protocol/admission.h"

#include <cstring>
#include <memory>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "tests/ctrl/protocol/lab.h"
#include "tests/ctrl/protocol/many_peers.h"

namespace wirelay::test {

class AdmissionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AdmissionTest);
  CPPUNIT_TEST(any_number_unless_it_is_said);
  CPPUNIT_TEST(one_too_many_is_refused);
  CPPUNIT_TEST(one_too_many_replaces_the_oldest);
  CPPUNIT_TEST(who_is_connected_may_go_on);
  CPPUNIT_TEST(who_is_silent_is_not_connected);
  CPPUNIT_TEST(fewer_than_there_are);
  CPPUNIT_TEST(the_relay_replaces_nobody);
  CPPUNIT_TEST(a_device_is_refused_by_its_handshake);
  CPPUNIT_TEST(an_answer_comes_too_late);
  CPPUNIT_TEST(whose_time_is_over);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint32_t kPeers = 4;
  std::unique_ptr<Lab> lab_;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<ctrl::Admission> admission_;
  std::vector<uint32_t> ended_;

  void rule(uint64_t most, bool replace = false) {
    parts_->ctx.user_book.set_rules(0, {most, replace});
  }
  void pass(uint64_t ns) {
    parts_->ctx.now.ns += ns;
    parts_->ctx.now.tsc += ns;
  }
  bool connect(uint32_t peer) {
    pass(kSecond);
    if (!admission_->admit(peer)) return false;
    const uint32_t index = parts_->ctx.session_writer.reserve(peer, 0).value();
    crypto::TransportKeys keys;
    keys.local_index = index;
    parts_->sessions.begin_answered(peer, keys);
    parts_->ctx.state(peer).heard = parts_->ctx.now.tsc;
    return true;
  }

 public:
  void setUp() override {
    lab_ = std::make_unique<Lab>();
    parts_ = std::make_unique<Parts>(*lab_->b);
    add_peers(*parts_, kPeers);
    for (uint32_t peer = 0; peer < kPeers; ++peer) parts_->ctx.user_book.add_peer(0, peer);
    admission_ =
        std::make_unique<ctrl::Admission>(parts_->ctx, parts_->sessions, [&](uint32_t peer) {
          ended_.push_back(peer);
          parts_->sessions.end_all(peer);
        });
  }
  void tearDown() override {
    ended_.clear();
    admission_.reset();
    parts_.reset();
    lab_.reset();
  }

  void any_number_unless_it_is_said() {
    for (uint32_t peer = 0; peer < kPeers; ++peer) CPPUNIT_ASSERT(connect(peer));
  }

  void one_too_many_is_refused() {
    rule(2);
    CPPUNIT_ASSERT(connect(0) && connect(1));
    CPPUNIT_ASSERT(!connect(2) && !connect(3));
    parts_->sessions.end_all(0);
    CPPUNIT_ASSERT(connect(3) && !connect(2));
    CPPUNIT_ASSERT(ended_.empty());
  }

  void one_too_many_replaces_the_oldest() {
    rule(2, true);
    CPPUNIT_ASSERT(connect(1) && connect(0) && connect(2));
    CPPUNIT_ASSERT((ended_ == std::vector<uint32_t>{1}));
    CPPUNIT_ASSERT(connect(0));  // renews its session: it is older than 2 still
    CPPUNIT_ASSERT(connect(1));
    CPPUNIT_ASSERT((ended_ == std::vector<uint32_t>{1, 0}));
  }

  void who_is_connected_may_go_on() {
    rule(1);
    CPPUNIT_ASSERT(connect(0) && connect(0) && connect(0));
    CPPUNIT_ASSERT(!connect(1));
  }

  void who_is_silent_is_not_connected() {
    rule(1);
    CPPUNIT_ASSERT(connect(0));
    pass(178 * kSecond);
    CPPUNIT_ASSERT(!connect(1));
    CPPUNIT_ASSERT(connect(1));  // a second later
    CPPUNIT_ASSERT(!connect(0));
    // What a worker has heard counts, too.
    dataplane::Session& session = *parts_->ctx.shared.sessions.find(parts_->ctx.state(1).next);
    pass(100 * kSecond);
    session.rx_tsc = parts_->ctx.now.tsc;
    pass(100 * kSecond);
    CPPUNIT_ASSERT(!connect(0));
  }

  void fewer_than_there_are() {
    for (uint32_t peer = 0; peer < kPeers; ++peer) CPPUNIT_ASSERT(connect(peer));
    parts_->sessions.end_all(3);
    rule(1, true);
    CPPUNIT_ASSERT(connect(3));
    CPPUNIT_ASSERT((ended_ == std::vector<uint32_t>{0, 1, 2}));
  }

  void the_relay_replaces_nobody() {
    rule(1, true);
    CPPUNIT_ASSERT(admission_->has_room(0));
    CPPUNIT_ASSERT(connect(0));
    CPPUNIT_ASSERT(admission_->has_room(0) && !admission_->has_room(1));
    CPPUNIT_ASSERT(ended_.empty());
    // One whose handshake is being answered is as good as connected.
    parts_->sessions.end_all(0);
    CPPUNIT_ASSERT(admission_->has_room(1));
    parts_->ctx.state(0).answering = 1;
    CPPUNIT_ASSERT(!admission_->has_room(1));
    parts_->ctx.state(0).answering = 0;
  }

  /// Another device of the user at b shakes hands.
  static void shake_hands(Lab& lab, const crypto::Identity& device) {
    Side& b = *lab.b;
    const auto remote =
        crypto::make_remote(device, b.identity.public_key, crypto::Secret(crypto::Bytes32{}));
    crypto::MessageInitiation message;
    crypto::HandshakeState state;
    CPPUNIT_ASSERT(crypto::create_initiation(
        device, *remote, 5, crypto::make_timestamp(lab.now.unix_ns), message, state));
    Bytes bytes(sizeof message);
    std::memcpy(bytes.data(), &message, sizeof message);
    crypto::MacWriter(b.identity.public_key).write(bytes, 1);
    b.hear(bytes, {*dataplane::parse_ip("192.0.2.9"), 900});
  }
  static uint32_t add_device(Side& side, const crypto::Identity& device) {
    ctrl::PeerSpec spec;
    spec.public_key = device.public_key;
    return side.add_peer(spec, "10.0.0.77");
  }

  void a_device_is_refused_by_its_handshake() {
    const auto other = crypto::make_identity(crypto::Secret(crypto::Bytes32{9}));
    Lab lab;
    lab.introduce();
    const uint32_t peer = add_device(*lab.b, other);
    lab.b->protocol->change_user(0, {.most = 1});
    lab.connect();
    lab.advance(kSecond);
    shake_hands(lab, other);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_sessions);
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);

    lab.b->protocol->change_user(0, {.most = 1, .replace = true});
    lab.advance(kSecond);
    shake_hands(lab, other);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_sessions);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, lab.b->counters().responses_sent);
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) == nullptr);
    lab.b->remove_peer(peer);
  }

  /// The relay has called one device, and meanwhile another comes by itself.
  void an_answer_comes_too_late() {
    const auto other = crypto::make_identity(crypto::Secret(crypto::Bytes32{9}));
    Lab lab;
    lab.introduce({}, {});
    const uint32_t peer = add_device(*lab.b, other);
    lab.b->protocol->change_user(0, {.most = 1});
    lab.b->punt(lab.peer_of_b, inner_packet(100, 1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().initiations_sent);
    shake_hands(lab, other);
    lab.deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_sessions);
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) == nullptr);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().held_dropped);
    lab.b->remove_peer(peer);
  }

  /// Its sessions are over, its handshakes refused, and it is not called; all is well when its time
  /// goes on.
  void whose_time_is_over() {
    Lab lab;
    lab.introduce({}, {.keepalive = 25});
    lab.connect();
    lab.b->shared.users.set_ended(0, true);
    for (uint32_t left = lab.b->protocol->peer_count(0); left != 0; --left) {
      lab.b->protocol->follow_user(0);
    }
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) == nullptr);
    lab.b->punt(lab.peer_of_b, inner_packet(100, 1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().held_dropped);
    const size_t called = lab.seen(*lab.b, crypto::MessageType::kInitiation);
    lab.advance(60 * kSecond);  // a goes on asking, since nothing comes back
    CPPUNIT_ASSERT(lab.b->counters().refused_expired > 0);
    CPPUNIT_ASSERT_EQUAL(called, lab.seen(*lab.b, crypto::MessageType::kInitiation));

    lab.b->shared.users.set_ended(0, false);
    lab.b->protocol->follow_user(0);
    lab.advance(6 * kSecond);  // it has a keepalive to send
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);
    CPPUNIT_ASSERT_EQUAL(0u, lab.close());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AdmissionTest);

}  // namespace wirelay::test
