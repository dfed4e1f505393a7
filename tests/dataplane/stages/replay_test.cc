// Protects: only authentic and new packets are believed. They alone count, set the session's times
// and confirm it; and no report is lost to a full ring. That they move the path: moves_test.cc.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

Bytes to_server(const Client& c) {
  return udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(52));
}

}  // namespace

class ReplayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReplayTest);
  CPPUNIT_TEST(new_counters_pass_in_any_order_once);
  CPPUNIT_TEST(the_first_packet_confirms_a_session_that_we_answered_for);
  CPPUNIT_TEST(a_session_that_we_began_needs_no_confirmation);
  CPPUNIT_TEST(believed_packets_are_counted_and_timed);
  CPPUNIT_TEST(forged_packets_change_nothing);
  CPPUNIT_TEST(reports_wait_for_room_in_the_ring);
  CPPUNIT_TEST_SUITE_END();

 public:
  void new_counters_pass_in_any_order_once() {
    DataPath d;
    Client c = d.add_client();
    for (const uint64_t counter : {0, 5, 3, 900, 4, 5, 900, 0, 899}) {
      c.counter = counter;
      send(d, c, to_server(c));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, d.drops(Drop::kReplayed));
    CPPUNIT_ASSERT_EQUAL(size_t{6}, d.sent(1).size());
    c.counter = crypto::kRejectAfterMessages - 1;
    send(d, c, to_server(c));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the last counter of all", size_t{1}, d.sent(1).size());
  }

  void the_first_packet_confirms_a_session_that_we_answered_for() {
    DataPath d;
    Client c = d.add_client();
    send(d, c, {});  // a keepalive does
    const auto events = d.events();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, events.size());
    CPPUNIT_ASSERT(events[0].kind == EventKind::kConfirmed);
    CPPUNIT_ASSERT_EQUAL(c.index, events[0].session);
    send(d, c, to_server(c));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.events().size());
  }

  void a_session_that_we_began_needs_no_confirmation() {
    DataPath d;
    Client c = d.add_client(false, 0, true);
    send(d, c, to_server(c));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.events().size());
  }

  void believed_packets_are_counted_and_timed() {
    DataPath d;
    Client c = d.add_client();
    Session& s = d.session(c);
    send(d, c, {});
    CPPUNIT_ASSERT_EQUAL(d.now, s.rx_tsc.load());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a keepalive is no data", uint64_t{0}, s.rx_data_tsc.load());
    d.now += 7;
    send(d, c, to_server(c));
    CPPUNIT_ASSERT_EQUAL(d.now, s.rx_tsc.load());
    CPPUNIT_ASSERT_EQUAL(d.now, s.rx_data_tsc.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, s.rx_packets.load());
    CPPUNIT_ASSERT_EQUAL_MESSAGE("inner bytes, not padding", uint64_t{80}, s.rx_bytes.load());
  }

  void forged_packets_change_nothing() {
    DataPath d;
    Client c = d.add_client();
    Client elsewhere = c;
    elsewhere.endpoint.port = 9;
    c.counter = 100'000;
    Bytes forged = d.seal(c, to_server(c));
    forged.back() ^= 0x40;
    d.feed(0, d.from_client(elsewhere, forged));
    d.poll();
    const Session& s = d.session(c);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kBadTag));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, s.rx_packets.load() + s.rx_bytes.load() + s.rx_tsc.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, s.replay_front.greatest);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, d.events().size());
  }

  void reports_wait_for_room_in_the_ring() {
    DataPath d;
    Client c = d.add_client();
    c.endpoint.port = 9999;
    const Event other{};
    while (d.workers[0]->report(other)) {
    }
    for (int i = 0; i < 3; ++i) send(d, c, to_server(c));
    d.events();
    d.now += DataPath::kHz / PuntAllowance::kPeriodsPerSecond;
    send(d, c, to_server(c));
    const auto events = d.events();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, events.size());
    CPPUNIT_ASSERT(events[0].kind == EventKind::kConfirmed && events[1].kind == EventKind::kMoved);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("meanwhile packets pass", size_t{4}, d.sent(1).size());
  }

 private:
  static void send(DataPath& d, Client& c, const Bytes& inner) {
    d.feed(0, d.tunnelled(c, inner));
    d.poll();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReplayTest);

}  // namespace wirelay::dataplane
