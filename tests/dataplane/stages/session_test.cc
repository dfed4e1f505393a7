// Protects: a session's packets are opened by its owner worker alone. Strays reach it by ring as
// the frames they were, in the buffer they came in by, and what names no session goes nowhere.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

DataPathOptions two_workers() {
  DataPathOptions options;
  options.workers = options.queues = 2;
  return options;
}

Bytes to_owner(const Client& c) {
  return udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(99));
}

}  // namespace

class SessionStageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SessionStageTest);
  CPPUNIT_TEST(strays_are_opened_by_their_owner);
  CPPUNIT_TEST(strays_keep_their_order);
  CPPUNIT_TEST(unknown_sessions_are_not_handed_on);
  CPPUNIT_TEST(any_worker_seals);
  CPPUNIT_TEST_SUITE_END();

 public:
  void strays_are_opened_by_their_owner() {
    DataPath d(two_workers());
    Client c = d.add_client(false, 1);
    const rte_mbuf* in = d.feed(0, d.tunnelled(c, to_owner(c)), 0);
    CPPUNIT_ASSERT_EQUAL(1u, d.workers[0]->poll(d.now));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.workers[0]->counters.handed_off.get());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.session(c).rx_packets.load());
    CPPUNIT_ASSERT_EQUAL(1u, d.workers[1]->poll(d.now));
    const auto out = d.sent_mbufs(1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
    CPPUNIT_ASSERT(out[0] == in);
    rte_pktmbuf_free(out[0]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.session(c).rx_packets.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.workers[1]->counters.tx_packets.get());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.events(1).size());
  }

  void strays_keep_their_order() {
    DataPath d(two_workers());
    Client strays = d.add_client(false, 1), at_home = d.add_client(true, 0);
    for (uint16_t i = 0; i < 50; ++i) {
      Client& c = i % 2 == 0 ? strays : at_home;
      d.feed(0, d.tunnelled(c, udp({c.inner4, i}, {addr("203.0.113.9"), 2}, {})), 0);
    }
    d.poll();
    const auto out = d.sent(1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{50}, out.size());
    int last_stray = -1, last_home = -1;
    for (const Bytes& frame : out) {
      const Parsed p = parse_ip_packet(parse_frame(frame).payload);
      int& last = p.from == strays.inner4 ? last_stray : last_home;
      CPPUNIT_ASSERT(p.from_port > last);
      last = p.from_port;
    }
  }

  void unknown_sessions_are_not_handed_on() {
    DataPath d(two_workers());
    Client c = d.add_client(false, 1);
    d.sessions->retire(c.index);
    d.feed(0, d.tunnelled(c, to_owner(c)), 0);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kUnknownSession));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.workers[0]->counters.handed_off.get());
  }

  void any_worker_seals() {
    DataPath d(two_workers());
    const Client c = d.add_client(false, 1);
    for (const uint16_t queue : {0, 1}) {
      d.feed(1, d.from_gateway(udp({addr("203.0.113.9"), 2}, {c.inner4, 1}, {})), queue);
    }
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, out.size());
    const auto first = d.open(c, out[0]), second = d.open(c, out[1]);
    CPPUNIT_ASSERT(first && second && first->counter != second->counter);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.workers[0]->counters.handed_off.get());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SessionStageTest);

}  // namespace wirelay::dataplane
