// Protects: that two sides which both begin, or whose packets get lost at the wrong moment, settle
// on one session, as two Linux kernels do, and don't go on shaking hands.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;

class SettlingTest : public LabTest {
  CPPUNIT_TEST_SUITE(SettlingTest);
  CPPUNIT_TEST(both_begin_at_once);
  CPPUNIT_TEST(crossed_handshakes_settle);
  CPPUNIT_TEST(response_to_a_given_up_initiation_is_refused);
  CPPUNIT_TEST(one_begins_at_each_renewal);
  CPPUNIT_TEST(both_fall_silent_at_once);
  CPPUNIT_TEST(lost_first_packet_of_a_renewed_session);
  CPPUNIT_TEST(unanswered_first_data_brings_a_new_handshake);
  CPPUNIT_TEST(unconfirmed_session_is_not_sent_with);
  CPPUNIT_TEST(a_used_session_needs_no_report);
  CPPUNIT_TEST(a_used_session_outlives_the_next_handshake);
  CPPUNIT_TEST(unanswered_data_outlives_its_session);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    LabTest::setUp();
    lab_->introduce({}, {});
  }

  void both_begin_at_once() {
    begin_at_once();
    CPPUNIT_ASSERT(a().inbox.empty() && b().inbox.empty());
    lab_->advance(20 * kSecond);
    CPPUNIT_ASSERT(!a().inbox.empty() && !b().inbox.empty());
    CPPUNIT_ASSERT(inner_packet(64, 2) == a().inbox.front());
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.front());
    CPPUNIT_ASSERT(initiates(a()) != initiates(b()));
    lab_->advance(200 * kSecond);
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
  }

  /// They once went on every 16 s for ever.
  void crossed_handshakes_settle() {
    begin_at_once();
    talk_for(30 * kSecond);
    const size_t initiations = initiated();
    talk_for(80 * kSecond);
    CPPUNIT_ASSERT_EQUAL(initiations, initiated());
  }

  /// We answered the peer's initiation, so that our own counts no more.
  void response_to_a_given_up_initiation_is_refused() {
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    b().send(lab_->peer_of_b, inner_packet(64, 2));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().responses_received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().refused_bad_message);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    CPPUNIT_ASSERT_EQUAL(1u, a().sessions.in_use());  // the one that it answered with
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());
  }

  void one_begins_at_each_renewal() {
    begin_at_once();
    talk_for(30 * kSecond);
    for (int renewal = 0; renewal < 4; ++renewal) {
      const size_t initiations = initiated();
      talk_for(121 * kSecond);
      CPPUNIT_ASSERT_EQUAL(initiations + 1, initiated());
    }
  }

  void both_fall_silent_at_once() {
    lab_->connect();
    lab_->out_of_step();
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
    talk_for(20 * kSecond);
    lab_->lose = nullptr;
    talk_for(40 * kSecond);
    const size_t initiations = initiated();
    talk_for(60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(initiations, initiated());
  }

  /// The peer goes on sending with the session before: it isn't silent.
  void lost_first_packet_of_a_renewed_session() {
    lab_->connect();
    talk_for(119 * kSecond);
    const uint32_t before = b().shared.peers[lab_->peer_of_b].current;
    unsigned lost = 0;
    lab_->lose = [&](const Side& from, const Message& m) {
      return &from == lab_->a.get() && m.type == MessageType::kTransport &&
             crypto::load_le32(m.bytes.data() + 4) != before && lost++ < 2;
    };
    while (lost < 2) talk_for(kSecond);  // its keepalive, and data
    CPPUNIT_ASSERT_EQUAL(before, b().shared.peers[lab_->peer_of_b].current.load());
    for (int second = 0; second < 30; ++second) {
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      lab_->advance(kSecond);
    }
    CPPUNIT_ASSERT(before != b().shared.peers[lab_->peer_of_b].current);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, initiated());
  }

  /// Data that waited for the session goes out at the very time of the response.
  void unanswered_first_data_brings_a_new_handshake() {
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(14900 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
  }

  /// Its first packet proves that the peer has it; until then the session before is used.
  void unconfirmed_session_is_not_sent_with() {
    lab_->connect();
    const uint32_t before = b().shared.peers[lab_->peer_of_b].current;
    lab_->advance(6 * kSecond);
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
    a().current(lab_->peer_of_a)->send_counter = crypto::kRekeyAfterMessages + 1;
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(before, b().shared.peers[lab_->peer_of_b].current.load());
    lab_->lose = nullptr;
    b().send(lab_->peer_of_b, inner_packet(64, 5));
    lab_->deliver();
    CPPUNIT_ASSERT(inner_packet(64, 5) == a().inbox.back());
    a().send(lab_->peer_of_a, inner_packet(64, 6));
    lab_->deliver();
    CPPUNIT_ASSERT(before != b().shared.peers[lab_->peer_of_b].current);
  }

  /// Workers send with it at once, whatever the control thread has heard.
  void a_used_session_needs_no_report() {
    b().lose_events = true;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().inbox.size());
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    const uint64_t initiations = initiated();
    b().send(lab_->peer_of_b, inner_packet(64, 5));
    b().punt(lab_->peer_of_b, inner_packet(64, 6));  // a worker that has looked a moment before
    lab_->deliver();
    CPPUNIT_ASSERT(inner_packet(64, 6) == a().inbox.back());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, a().inbox.size());
    CPPUNIT_ASSERT_EQUAL(initiations, uint64_t{initiated()});
  }

  void a_used_session_outlives_the_next_handshake() {
    b().lose_events = true;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().inbox.size());
    const uint32_t used = b().shared.peers[lab_->peer_of_b].next;
    lab_->now.ns += kSecond;
    lab_->now.tsc += kSecond;
    lab_->now.unix_ns += kSecond;
    a().remove_peer(lab_->peer_of_a);  // it starts anew
    lab_->peer_of_a = a().add_peer(b(), {});
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kTransport; };
    a().send(lab_->peer_of_a, inner_packet(64, 7));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(used, b().shared.peers[lab_->peer_of_b].current.load());
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
    CPPUNIT_ASSERT(used != b().shared.peers[lab_->peer_of_b].next);
  }

  void unanswered_data_outlives_its_session() {
    lab_->connect();
    lab_->advance(175 * kSecond);
    lab_->lose = [](const Side&, const Message&) { return true; };
    b().send(lab_->peer_of_b, inner_packet(64, 1));
    lab_->advance(10 * kSecond);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) == nullptr);
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(b(), MessageType::kInitiation));
  }

 private:
  void begin_at_once() {
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    b().send(lab_->peer_of_b, inner_packet(64, 2));
    lab_->out_of_step();
    lab_->advance(kSecond);
  }
  /// Data both ways each second.
  void talk_for(uint64_t ns) {
    for (uint64_t passed = 0; passed < ns; passed += kSecond) {
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      lab_->advance(kSecond);
    }
  }
  [[nodiscard]] size_t initiated() {
    return lab_->seen(a(), MessageType::kInitiation) + lab_->seen(b(), MessageType::kInitiation);
  }
  bool initiates(Side& side) {
    const dataplane::Session* session =
        side.current(&side == lab_->a.get() ? lab_->peer_of_a : lab_->peer_of_b);
    CPPUNIT_ASSERT(session != nullptr);
    return session->initiator;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SettlingTest);

}  // namespace wirelay::test
