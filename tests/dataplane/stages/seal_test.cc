// Protects: the one property that outranks all others, that no nonce is used twice; and who waits,
// and who is counted, when a packet for a peer cannot be sealed or is.
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

void feed_down(DataPath& d, const Client& c, size_t bytes = 36) {
  d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(bytes))));
}

/// A new session of the client's, which we answered for and it has not used yet; there is no other
/// to send with.
void answered(DataPath& d, Client& c, uint32_t owner) {
  d.new_session(c, owner);
  d.peers->set_current(c.peer, 0);
  d.peers->set_next(c.peer, c.index);
}

Bytes only_sent(DataPath& d) {
  const auto frames = d.sent(0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, frames.size());
  return frames[0];
}

}  // namespace

class SealTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SealTest);
  CPPUNIT_TEST(counters_go_up_by_one_from_zero);
  CPPUNIT_TEST(interleaved_sessions_count_each_for_itself);
  CPPUNIT_TEST(counters_between_others);
  CPPUNIT_TEST(counters_of_another_worker);
  CPPUNIT_TEST(packets_that_do_not_fit_take_no_counter);
  CPPUNIT_TEST(counters_end_before_the_limit);
  CPPUNIT_TEST(a_new_session_is_used_at_once);
  CPPUNIT_TEST(a_session_that_the_peer_has_used_is_sent_with);
  CPPUNIT_TEST(a_session_that_the_peer_has_not_used_is_none);
  CPPUNIT_TEST(packets_without_session_wait_with_the_control_thread);
  CPPUNIT_TEST(few_wait_in_each_part_of_a_second);
  CPPUNIT_TEST(a_burst_to_one_peer_waits_as_a_whole);
  CPPUNIT_TEST(a_burst_behind_the_first_packet_of_a_session_goes_with_it);
  CPPUNIT_TEST(one_peer_does_not_take_all_that_may_wait);
  CPPUNIT_TEST(what_is_sealed_is_counted_and_timed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void counters_go_up_by_one_from_zero() {
    DataPath d;
    const Client c = d.add_client();
    for (int i = 0; i < 200; ++i) feed_down(d, c);
    d.poll();
    uint64_t expected = 0;
    for (const Bytes& frame : d.sent(0))
      CPPUNIT_ASSERT_EQUAL(expected++, d.open(c, frame)->counter);
    CPPUNIT_ASSERT_EQUAL(uint64_t{200}, expected);
    CPPUNIT_ASSERT_EQUAL(uint64_t{200}, traffic_of(d.session(c)).tx_packets);
  }

  void interleaved_sessions_count_each_for_itself() {
    DataPath d;
    const Client clients[] = {d.add_client(), d.add_client(true), d.add_client()};
    for (size_t i = 0; i < 300; ++i) feed_down(d, clients[i * i % 3]);
    d.poll();
    std::set<uint64_t> seen[3];
    for (const Bytes& frame : d.sent(0)) {
      for (size_t k = 0; k < 3; ++k) {
        const auto opened = d.open(clients[k], frame);
        if (opened) CPPUNIT_ASSERT(seen[k].insert(opened->counter).second);
      }
    }
    for (size_t k = 0; k < 3; ++k) {
      CPPUNIT_ASSERT_EQUAL(uint64_t{seen[k].size()}, traffic_of(d.session(clients[k])).tx_packets);
      CPPUNIT_ASSERT(seen[k].empty() || *seen[k].rbegin() == seen[k].size() - 1);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{300}, seen[0].size() + seen[1].size() + seen[2].size());
  }

  /// Other threads take counters of the session while its owner has some reserved: no counter is
  /// used twice, and none that is so far behind that its receiver would not take it.
  void counters_between_others() {
    DataPath d;
    const Client c = d.add_client();
    std::set<uint64_t> used;
    for (const unsigned others : {0u, 1u, 5u, 31u, 32u, 33u, 100u, 1000u, 0u, 7u}) {
      for (unsigned round = 0; round < 40; ++round) {
        const uint64_t theirs = d.session(c).send_counter.fetch_add(others);
        for (uint64_t n = theirs; n < theirs + others; ++n) CPPUNIT_ASSERT(used.insert(n).second);
        feed_down(d, c);
        d.poll();
        const uint64_t counter = d.open(c, d.sent(0).at(0))->counter;
        CPPUNIT_ASSERT(used.insert(counter).second);
        CPPUNIT_ASSERT(counter + Session::kOwnReach >= theirs + others);
      }
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{400}, traffic_of(d.session(c)).tx_packets);
  }

  void counters_of_another_worker() {
    DataPathOptions options;
    options.workers = options.queues = 2;
    DataPath d(options);
    const Client c = d.add_client(false, 1);
    for (int i = 0; i < 100; ++i) feed_down(d, c);  // to worker 0
    d.workers[0]->poll(d.now);
    d.workers[0]->poll(d.now);
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, d.session(c).send_counter.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, traffic_of(d.session(c)).tx_packets);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.session(c).own_tx_packets.load());
  }

  void packets_that_do_not_fit_take_no_counter() {
    DataPath d;
    const Client c = d.add_client();
    d.feed(1, d.from_gateway(udp({addr("2001:db8:99::9"), 2}, {c.inner6, 1}, pattern(1470))));
    feed_down(d, c);
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.open(c, out[0])->counter);
  }

  void counters_end_before_the_limit() {
    DataPath d;
    const Client c = d.add_client();
    d.session(c).send_counter = crypto::kRejectAfterMessages - 3;
    for (int i = 0; i < 10; ++i) feed_down(d, c);
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, out.size());
    CPPUNIT_ASSERT_EQUAL(crypto::kRejectAfterMessages - 1, d.open(c, out[2])->counter);
    CPPUNIT_ASSERT_EQUAL(size_t{7}, d.discard_punts());
    const uint64_t stopped = d.session(c).send_counter;
    for (int i = 0; i < 10; ++i) feed_down(d, c);
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("never wraps", stopped, d.session(c).send_counter.load());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.sent(0).size());
  }

  void a_new_session_is_used_at_once() {
    DataPath d;
    Client c = d.add_client();
    feed_down(d, c);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(0).size());
    d.new_session(c);
    feed_down(d, c);
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.open(c, out[0])->counter);
  }

  /// The answer to the first packet of a client that has started anew; the control thread has not
  /// heard of that packet, and the owner is another worker than who seals.
  void a_session_that_the_peer_has_used_is_sent_with() {
    for (const uint32_t owner : {0, 1}) {
      DataPath d({.workers = 2});
      Client c = d.add_client();
      const Client before = c;
      answered(d, c, owner);
      d.peers->set_current(c.peer, before.index);
      feed_down(d, c);
      d.poll();
      CPPUNIT_ASSERT(d.open(before, only_sent(d)));
      d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(36))));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
      feed_down(d, c);
      d.poll();
      CPPUNIT_ASSERT(d.open(c, only_sent(d)));
    }
  }

  void a_session_that_the_peer_has_not_used_is_none() {
    DataPath d;
    Client c = d.add_client();
    answered(d, c, 0);
    feed_down(d, c);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.discard_punts());
    d.sessions->retire(c.index, nullptr);
    feed_down(d, c);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.discard_punts());
  }

  void packets_without_session_wait_with_the_control_thread() {
    DataPath d;
    const Client none = d.add_client(), old = d.add_client();
    d.peers->set_current(none.peer, 0);
    d.session(old).send_reject_tsc = d.now;
    for (const Client& c : {none, old}) {
      feed_down(d, c);
      d.poll();
      const auto punts = d.punts();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, punts.size());
      CPPUNIT_ASSERT(punts[0].reason == PuntReason::kNoSession);
      CPPUNIT_ASSERT_EQUAL(c.peer, punts[0].peer);
      CPPUNIT_ASSERT(parse_ip_packet(bytes_of(punts[0].mbuf)).to == c.inner4);
      rte_pktmbuf_free(punts[0].mbuf);
    }
  }

  void few_wait_in_each_part_of_a_second() {
    DataPath d;
    const Client c = d.add_client();
    d.peers->set_current(c.peer, 0);
    for (int i = 0; i < 300; ++i) feed_down(d, c);
    d.poll();
    const size_t first = d.discard_punts();
    CPPUNIT_ASSERT(first > 0 && first < 150);
    CPPUNIT_ASSERT_EQUAL(uint64_t{300 - first}, d.drops(Drop::kNoSession));
    d.now += DataPath::kHz / 100;
    for (int i = 0; i < 300; ++i) feed_down(d, c);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(first, d.discard_punts());
  }

  /// As many as the control thread holds for a peer, in their order.
  void a_burst_to_one_peer_waits_as_a_whole() {
    DataPath d;
    const Client c = d.add_client();
    d.peers->set_current(c.peer, 0);
    for (uint8_t i = 0; i < 128; ++i) {
      d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, Bytes(8, i))));
    }
    d.poll();
    const auto punts = d.punts();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{128}, punts.size());
    for (uint8_t i = 0; i < 128; ++i) {
      CPPUNIT_ASSERT(parse_ip_packet(bytes_of(punts[i].mbuf)).payload == Bytes(8, i));
      rte_pktmbuf_free(punts[i].mbuf);
    }
  }

  /// A peer that has started anew says one word, and another peer talks to it at once.
  void a_burst_behind_the_first_packet_of_a_session_goes_with_it() {
    DataPath d;
    Client c = d.add_client(), other = d.add_client();
    const Client before = c;
    answered(d, c, 0);
    d.peers->set_current(c.peer, before.index);
    d.feed(0, d.tunnelled(c, {}));
    for (uint8_t i = 0; i < 100; ++i) {
      d.feed(0, d.tunnelled(other, udp({other.inner4, 1}, {c.inner4, 1}, Bytes(8, i))));
    }
    d.poll();
    const auto frames = d.sent(0);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{100}, frames.size());
    for (uint8_t i = 0; i < 100; ++i) {
      const auto opened = d.open(c, frames[i]);
      CPPUNIT_ASSERT(opened);
      CPPUNIT_ASSERT_EQUAL(uint64_t{i}, opened->counter);
      CPPUNIT_ASSERT_EQUAL(i, opened->packet[28]);
    }
  }

  void one_peer_does_not_take_all_that_may_wait() {
    DataPath d;
    const Client many = d.add_client(), few = d.add_client();
    d.peers->set_current(many.peer, 0);
    d.peers->set_current(few.peer, 0);
    for (int i = 0; i < 300; ++i) feed_down(d, many);
    for (int i = 0; i < 3; ++i) feed_down(d, few);
    d.poll();
    size_t waiting = 0;
    for (const Punt& punt : d.punts()) {
      waiting += punt.peer == few.peer;
      rte_pktmbuf_free(punt.mbuf);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{3}, waiting);
  }

  void what_is_sealed_is_counted_and_timed() {
    DataPath d;
    const Client c = d.add_client();
    d.now += 11;
    feed_down(d, c, 36);
    feed_down(d, c, 37);
    d.poll();
    const Session& s = d.session(c);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("inner bytes, not padding", uint64_t{64 + 65},
                                 traffic_of(s).tx_bytes);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, traffic_of(s).tx_packets);
    CPPUNIT_ASSERT_EQUAL(d.now, s.tx_tsc.load());
    CPPUNIT_ASSERT_EQUAL(d.now, s.tx_data_tsc.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SealTest);

}  // namespace wirelay::dataplane
