// Protects handshakes whose answers are computed elsewhere: they make the same sessions, and what
// has changed meanwhile makes none, nor does it keep a place of the table.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/protocol/answer_threads.h"
#include "tests/ctrl/protocol/lab.h"
#include "tests/ctrl/protocol/late_answerer.h"

namespace wirelay::test {

class AnswersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AnswersTest);
  CPPUNIT_TEST(an_answer_that_comes_later_makes_the_session);
  CPPUNIT_TEST(a_peer_has_one_answer_under_way);
  CPPUNIT_TEST(what_has_changed_meanwhile_is_dropped);
  CPPUNIT_TEST(the_answer_goes_where_the_peer_is_by_then);
  CPPUNIT_TEST(a_number_that_is_anothers_now_gets_no_answer);
  CPPUNIT_TEST(what_cannot_be_computed_in_time_is_load);
  CPPUNIT_TEST(threads_compute_what_the_protocol_would);
  CPPUNIT_TEST(no_more_waits_than_can_be_computed_soon);
  CPPUNIT_TEST(threads_end_with_what_waits);
  CPPUNIT_TEST_SUITE_END();

  LateAnswerer answerer_;

  /// a's initiation has come to b, and b's answer is not computed yet.
  void begin(Lab& lab) {
    lab.introduce();
    lab.a->send(lab.peer_of_a, inner_packet(64, 1));
    lab.deliver();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, answerer_.waiting.size());
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) == nullptr);
  }
  unsigned finish(Lab& lab) {
    answerer_.compute();
    return lab.b->protocol->finish_answers(16, lab.now);
  }

 public:
  void an_answer_that_comes_later_makes_the_session() {
    Lab lab(Lab::small(), 1000, &answerer_);
    begin(lab);
    CPPUNIT_ASSERT_EQUAL(1u, finish(lab));
    lab.deliver();
    CPPUNIT_ASSERT(lab.a->current(lab.peer_of_a) != nullptr);
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.b->inbox.size());
    CPPUNIT_ASSERT_EQUAL(0u, finish(lab));
  }

  /// More would take more than the four places that a peer has in the table of sessions.
  void a_peer_has_one_answer_under_way() {
    Lab lab(Lab::small(), 1000, &answerer_);
    begin(lab);
    lab.advance(6 * kSecond);  // a asks again
    CPPUNIT_ASSERT(lab.b->counters().initiations_received >= 2);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, answerer_.waiting.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_too_soon);
    finish(lab);
    lab.advance(6 * kSecond);
    finish(lab);
    lab.deliver();
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);
  }

  void what_has_changed_meanwhile_is_dropped() {
    using Change = std::function<void(Lab&, ctrl::PeerSpec)>;
    const Change removed = [](Lab& lab, const ctrl::PeerSpec&) {
      lab.b->remove_peer(lab.peer_of_b);
    };
    const Change disabled = [](Lab& lab, const ctrl::PeerSpec& spec) {
      lab.b->protocol->change_peer(lab.peer_of_b, spec, false);
    };
    const Change disabled_for_a_moment = [](Lab& lab, const ctrl::PeerSpec& spec) {
      lab.b->protocol->change_peer(lab.peer_of_b, spec, false);
      lab.b->protocol->change_peer(lab.peer_of_b, spec, true);
    };
    const Change other_preshared_key = [](Lab& lab, ctrl::PeerSpec spec) {
      spec.preshared_key = crypto::generate_private_key();
      lab.b->protocol->change_peer(lab.peer_of_b, spec, true);
    };
    const Change other_key = [](Lab& lab, ctrl::PeerSpec spec) {
      spec.public_key = crypto::derive_public_key(crypto::generate_private_key());
      lab.b->protocol->change_peer(lab.peer_of_b, spec, true);
    };
    for (const Change& change :
         {removed, disabled, disabled_for_a_moment, other_preshared_key, other_key}) {
      Lab lab(Lab::small(), 1000, &answerer_);
      begin(lab);
      change(lab, lab.b->spec_of(*lab.a, {.endpoint = false}));
      CPPUNIT_ASSERT_EQUAL(1u, finish(lab));
      CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_changed);
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.b->counters().responses_sent);
      lab.b->shared.rcu.poll();
      CPPUNIT_ASSERT_EQUAL(0u, lab.b->sessions.in_use());
    }
  }

  /// What the peer sends meanwhile with its session comes later than its initiation.
  void the_answer_goes_where_the_peer_is_by_then() {
    Lab lab(Lab::small(), 1000, &answerer_);
    begin(lab);
    finish(lab);
    lab.deliver();
    lab.advance(6 * kSecond);
    lab.a->current(lab.peer_of_a)->send_counter = crypto::kRekeyAfterMessages + 1;
    lab.a->translated = dataplane::parse_ip("203.0.113.5");
    lab.advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, answerer_.waiting.size());
    lab.a->translated = dataplane::parse_ip("203.0.113.6");
    lab.a->send(lab.peer_of_a, inner_packet(64, 2));
    lab.deliver();
    const auto before = lab.b->counters().responses_sent;
    finish(lab);
    CPPUNIT_ASSERT_EQUAL(before + 1, lab.b->counters().responses_sent);
    CPPUNIT_ASSERT(*lab.b->protocol->status(lab.peer_of_b).endpoint ==
                   dataplane::Endpoint({*lab.a->translated, 51820}));
  }

  void a_number_that_is_anothers_now_gets_no_answer() {
    Lab lab(Lab::small(), 1000, &answerer_);
    begin(lab);
    lab.b->remove_peer(lab.peer_of_b);
    for (int i = 0; i < 4; ++i) lab.b->shared.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(lab.peer_of_b, lab.b->add_peer(*lab.a, {.endpoint = false}));
    finish(lab);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_changed);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.b->counters().responses_sent);
  }

  void threads_compute_what_the_protocol_would() {
    std::atomic<int> woken = 0;
    ctrl::AnswerThreads threads(2, 100'000, [&] { ++woken; });
    Lab lab(Lab::small(), 1000, &threads);
    lab.introduce();
    for (int round = 0; round < 20; ++round) {
      lab.a->send(lab.peer_of_a, inner_packet(64, 1));
      const uint64_t before = lab.b->counters().responses_sent;
      lab.deliver();
      while (lab.b->counters().responses_sent == before) {
        lab.b->protocol->finish_answers(16, lab.now);
      }
      lab.deliver();
      CPPUNIT_ASSERT(lab.a->current(lab.peer_of_a) != nullptr);
      CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);
      CPPUNIT_ASSERT_EQUAL(size_t(round) + 1, lab.b->inbox.size());
      lab.advance(kSecond);
      lab.b->remove_peer(lab.peer_of_b);
      lab.a->remove_peer(lab.peer_of_a);
      for (Side* side : {lab.a.get(), lab.b.get()}) side->shared.rcu.poll();
      lab.introduce();
    }
    CPPUNIT_ASSERT(woken >= 1);
  }

  void threads_end_with_what_waits() {
    ctrl::AnswerThreads threads(1, 100'000, [] {});
    for (int i = 0; i < 500; ++i) {
      auto answer = std::make_unique<ctrl::Answer>();
      threads.submit(answer);
    }
  }

  /// Else all would wait for so long that nobody is there any more when the answer comes.
  void no_more_waits_than_can_be_computed_soon() {
    ctrl::AnswerThreads threads(1, 1'000'000'000, [] {});
    unsigned taken = 0;
    for (unsigned i = 0; i < 5000; ++i) {
      auto answer = std::make_unique<ctrl::Answer>();
      taken += threads.submit(answer) ? 1 : 0;
    }
    CPPUNIT_ASSERT(taken >= 16 && taken < 5000);
  }

  void what_cannot_be_computed_in_time_is_load() {
    Lab lab(Lab::small(), 1000, &answerer_);
    answerer_.most = 0;
    lab.introduce();
    lab.a->send(lab.peer_of_a, inner_packet(64, 1));
    lab.deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().refused_under_load);
    lab.b->shared.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0u, lab.b->sessions.in_use());
    answerer_.most = 1000;
    lab.b->hear(junk_initiation(), lab.a->endpoint());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.b->counters().cookies_sent);
    lab.advance(6 * kSecond);  // a asks again, and is served
    finish(lab);
    lab.deliver();
    CPPUNIT_ASSERT(lab.b->current(lab.peer_of_b) != nullptr);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AnswersTest);

}  // namespace wirelay::test
