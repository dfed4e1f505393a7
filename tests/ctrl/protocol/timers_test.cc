// Protects: that sessions are renewed in time by the right side, ended in time, kept alive when and
// only when that is asked for, and that keys are gone when their session is.
#include <algorithm>
#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;

class TimersTest : public IntroducedLabTest {
  CPPUNIT_TEST_SUITE(TimersTest);
  CPPUNIT_TEST(initiator_renews_a_session_in_use);
  CPPUNIT_TEST(responder_leaves_renewal_to_the_initiator);
  CPPUNIT_TEST(initiator_that_only_receives_renews_in_the_last_minute);
  CPPUNIT_TEST(unused_session_is_not_renewed);
  CPPUNIT_TEST(packets_on_the_way_survive_a_renewal);
  CPPUNIT_TEST(expired_session_is_gone_with_its_keys);
  CPPUNIT_TEST(unconfirmed_session_expires);
  CPPUNIT_TEST(lost_renewals_end_in_a_new_session);
  CPPUNIT_TEST(renews_after_many_messages);
  CPPUNIT_TEST(never_sends_beyond_the_last_counter);
  CPPUNIT_TEST(silence_brings_a_new_handshake);
  CPPUNIT_TEST(silence_is_not_noticed_when_nothing_was_sent);
  CPPUNIT_TEST(passive_keepalive_answers_data);
  CPPUNIT_TEST(passive_keepalive_is_counted_from_what_was_sent_last);
  CPPUNIT_TEST(no_passive_keepalive_when_data_goes_back);
  CPPUNIT_TEST(keepalives_are_not_answered);
  CPPUNIT_TEST(persistent_keepalive);
  CPPUNIT_TEST(persistent_keepalive_keeps_trying);
  CPPUNIT_TEST(persistent_keepalive_is_switched_live);
  CPPUNIT_TEST(persistent_keepalive_that_is_switched_on_is_sent_at_once);
  CPPUNIT_TEST(changed_persistent_keepalive_holds_at_once);
  CPPUNIT_TEST(workers_clocks_may_be_ahead);
  CPPUNIT_TEST(idle_peers_cost_no_messages);
  CPPUNIT_TEST_SUITE_END();

 public:
  void initiator_renews_a_session_in_use() {
    lab_->connect();
    const uint32_t first = current_index();
    talk_for(110 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    talk_for(15 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT(current_index() != first);
    CPPUNIT_ASSERT(a().shared.sessions.find(first) != nullptr);  // the previous one
    talk_for(240 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT(a().shared.sessions.find(first) == nullptr);
    const auto data = std::ranges::count_if(b().inbox, [](const Bytes& p) { return !p.empty(); });
    CPPUNIT_ASSERT_EQUAL(sent_, static_cast<size_t>(data) - 1);  // not one was lost
    CPPUNIT_ASSERT(a().sessions.in_use() <= 2 && b().sessions.in_use() <= 2);
  }

  void responder_leaves_renewal_to_the_initiator() {
    lab_->connect();
    for (int i = 0; i < 130; ++i) {
      b().send(lab_->peer_of_b, inner_packet(64, 1));
      lab_->advance(kSecond);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kInitiation));
  }

  void initiator_that_only_receives_renews_in_the_last_minute() {
    lab_->connect();
    const auto spec = b().spec_of(a(), {.endpoint = false, .keepalive = 5});
    b().protocol->change_peer(lab_->peer_of_b, spec, true);  // keepalives need no answer
    lab_->advance(163 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    lab_->advance(10 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kInitiation));
  }

  void unused_session_is_not_renewed() {
    lab_->connect();
    lab_->advance(170 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
  }

  void packets_on_the_way_survive_a_renewal() {
    lab_->connect();
    talk_for(119 * kSecond);
    // Sealed with the old session, delivered when both sides have the new one.
    b().send(lab_->peer_of_b, inner_packet(64, 77));
    std::vector<rte_mbuf*> late;
    late.swap(b().outbox);
    talk_for(10 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    for (rte_mbuf* packet : late) a().receive(packet);
    CPPUNIT_ASSERT(inner_packet(64, 77) == a().inbox.back());
  }

  void expired_session_is_gone_with_its_keys() {
    lab_->connect();
    const dataplane::Session* session = a().current(lab_->peer_of_a);
    CPPUNIT_ASSERT(!all_zero(session->send_key) && !all_zero(session->receive_key));
    lab_->advance(181 * kSecond);
    CPPUNIT_ASSERT_EQUAL(0u, a().shared.peers[lab_->peer_of_a].current.load());
    CPPUNIT_ASSERT_EQUAL(0u, a().sessions.in_use());
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
    CPPUNIT_ASSERT(all_zero(session->send_key) && all_zero(session->receive_key));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().sessions_expired);
    // What it carried is remembered.
    CPPUNIT_ASSERT_EQUAL(uint64_t{64}, a().protocol->status(lab_->peer_of_a).traffic.tx_bytes);
    lab_->connect();
    CPPUNIT_ASSERT_EQUAL(uint64_t{128}, a().protocol->status(lab_->peer_of_a).traffic.tx_bytes);
  }

  void unconfirmed_session_expires() {
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kResponse; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(kSecond);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());
    lab_->advance(180 * kSecond);
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
  }

  void lost_renewals_end_in_a_new_session() {
    lab_->connect();
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kInitiation; };
    talk_for(185 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    lab_->lose = nullptr;
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    const size_t arrived = b().inbox.size();
    a().send(lab_->peer_of_a, inner_packet(64, 9));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(arrived + 1, b().inbox.size());
  }

  void renews_after_many_messages() {
    lab_->connect();
    lab_->advance(10 * kSecond);
    const uint32_t first = current_index();
    a().current(lab_->peer_of_a)->send_counter = crypto::kRekeyAfterMessages + 1;
    lab_->advance(kSecond);
    CPPUNIT_ASSERT(current_index() != first);
    // The responder too, when it is the one that has sent so much.
    lab_->advance(10 * kSecond);
    b().current(lab_->peer_of_b)->send_counter = crypto::kRekeyAfterMessages + 1;
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(b(), MessageType::kInitiation));
  }

  void never_sends_beyond_the_last_counter() {
    lab_->connect();
    lab_->lose = [](const Side&, const Message& m) { return m.type == MessageType::kInitiation; };
    lab_->advance(6 * kSecond);
    dataplane::Session* session = a().current(lab_->peer_of_a);
    session->send_counter = crypto::kRejectAfterMessages;
    session->rx_data_tsc = lab_->now.tsc;  // a passive keepalive would be due
    a().send(lab_->peer_of_a, inner_packet(64, 5));
    lab_->advance(12 * kSecond);
    CPPUNIT_ASSERT_EQUAL(crypto::kRejectAfterMessages, session->send_counter.load());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kTransport));
    lab_->lose = nullptr;
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(inner_packet(64, 5) == b().inbox.back());  // it waited for the next session
  }

  void silence_brings_a_new_handshake() {
    lab_->connect();
    lab_->advance(20 * kSecond);
    lab_->lose = [](const Side&, const Message&) { return true; };
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(14500 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab_->seen(a(), MessageType::kInitiation));
    // It is given up, and without new data not begun again.
    lab_->advance(150 * kSecond);
    const size_t sent = lab_->seen(a(), MessageType::kInitiation);
    lab_->advance(100 * kSecond);
    CPPUNIT_ASSERT_EQUAL(sent, lab_->seen(a(), MessageType::kInitiation));
  }

  void silence_is_not_noticed_when_nothing_was_sent() {
    lab_->connect();
    lab_->advance(60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab_->seen(a(), MessageType::kInitiation));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kInitiation));
  }

  void passive_keepalive_answers_data() {
    lab_->connect();
    lab_->advance(30 * kSecond);
    const size_t before = lab_->seen(b(), MessageType::kTransport);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(9 * kSecond);
    CPPUNIT_ASSERT_EQUAL(before, lab_->seen(b(), MessageType::kTransport));
    lab_->advance(1500 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, lab_->seen(b(), MessageType::kTransport));
    CPPUNIT_ASSERT(a().inbox.back().empty());
    lab_->advance(30 * kSecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, lab_->seen(b(), MessageType::kTransport));
  }

  void passive_keepalive_is_counted_from_what_was_sent_last() {
    lab_->connect();
    lab_->advance(30 * kSecond);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(5 * kSecond);
    b().send(lab_->peer_of_b, inner_packet(64, 2));
    lab_->advance(kSecond);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    const uint64_t before = b().counters().keepalives_sent;
    lab_->advance(9 * kSecond);
    CPPUNIT_ASSERT_EQUAL(before, b().counters().keepalives_sent);
    lab_->advance(1500 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, b().counters().keepalives_sent);
  }

  void no_passive_keepalive_when_data_goes_back() {
    lab_->connect();
    for (int i = 0; i < 60; ++i) {
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      lab_->advance(kSecond);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().keepalives_sent);
  }

  void keepalives_are_not_answered() {
    lab_->connect();
    lab_->advance(30 * kSecond);
    const size_t before = lab_->seen(b(), MessageType::kTransport);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 5}), true);
    lab_->advance(60 * kSecond);
    CPPUNIT_ASSERT(lab_->seen(a(), MessageType::kTransport) > 10);
    CPPUNIT_ASSERT_EQUAL(before, lab_->seen(b(), MessageType::kTransport));
  }

  void persistent_keepalive() {
    lab_->connect();
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 25}), true);
    lab_->advance(600 * kSecond);
    // One each 25 s and each 200 ms of the timers' lap, and the session stays.
    const uint64_t sent = a().counters().keepalives_sent;
    CPPUNIT_ASSERT(sent >= 22 && sent <= 30);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    CPPUNIT_ASSERT(b().current(lab_->peer_of_b) != nullptr);
  }

  void persistent_keepalive_keeps_trying() {
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 25}), true);
    lab_->lose = [](const Side&, const Message&) { return true; };
    lab_->advance(300 * kSecond);
    const size_t sent = lab_->seen(a(), MessageType::kInitiation);
    CPPUNIT_ASSERT(sent >= 40);
    lab_->lose = nullptr;
    lab_->advance(30 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
  }

  void persistent_keepalive_is_switched_live() {
    lab_->connect();
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 5}), true);
    lab_->advance(20 * kSecond);
    const uint64_t sent = a().counters().keepalives_sent;
    CPPUNIT_ASSERT(sent >= 3);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), true);
    lab_->advance(60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(sent, a().counters().keepalives_sent);
  }

  void persistent_keepalive_that_is_switched_on_is_sent_at_once() {
    lab_->connect();
    lab_->advance(2 * kSecond);
    const uint64_t before = a().counters().keepalives_sent;
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 3600}), true);
    lab_->advance(250 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, a().counters().keepalives_sent);
    lab_->advance(60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, a().counters().keepalives_sent);
  }

  void changed_persistent_keepalive_holds_at_once() {
    lab_->connect();
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 3600}), true);
    lab_->advance(60 * kSecond);
    const uint64_t before = a().counters().keepalives_sent;
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 20}), true);
    lab_->advance(250 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, a().counters().keepalives_sent);
  }

  void workers_clocks_may_be_ahead() {
    lab_->connect();
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {.keepalive = 25}), true);
    lab_->advance(kSecond);
    dataplane::Session* session = a().current(lab_->peer_of_a);
    const size_t messages = lab_->wire.size();
    for (const int which : {1, 2, 3}) {  // it sent, it received, both
      const uint64_t soon = lab_->now.tsc + 400 * kMillisecond;
      if ((which & 1) != 0) session->tx_tsc = session->tx_data_tsc = soon;
      if ((which & 2) != 0) session->rx_tsc = session->rx_data_tsc = soon + which;
      lab_->advance(300 * kMillisecond);
      CPPUNIT_ASSERT_EQUAL(messages, lab_->wire.size());
    }
  }

  void idle_peers_cost_no_messages() {
    lab_->advance(400 * kSecond);
    CPPUNIT_ASSERT(lab_->wire.empty());
    lab_->connect();
    lab_->advance(300 * kSecond);
    const size_t messages = lab_->wire.size();
    lab_->advance(600 * kSecond);
    CPPUNIT_ASSERT_EQUAL(messages, lab_->wire.size());
  }

 private:
  uint32_t current_index() { return a().shared.peers[lab_->peer_of_a].current; }

  /// Data both ways each second.
  void talk_for(uint64_t ns) {
    for (uint64_t passed = 0; passed < ns; passed += kSecond) {
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      ++sent_;
      lab_->advance(kSecond);
    }
  }
  template <size_t N>
  static bool all_zero(const uint8_t (&bytes)[N]) {
    return std::all_of(bytes, bytes + N, [](uint8_t b) { return b == 0; });
  }
  size_t sent_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(TimersTest);

}  // namespace wirelay::test
