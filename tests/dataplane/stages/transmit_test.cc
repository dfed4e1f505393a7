// Protects: frames leave with the next hop's MAC, and packets whose next hop is not known wait with
// the control thread, which sends them later through a worker.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

using namespace wirelay::test;

class TransmitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TransmitTest);
  CPPUNIT_TEST(unresolved_next_hops_are_punted);
  CPPUNIT_TEST(sealed_packets_wait_for_a_neighbour_too);
  CPPUNIT_TEST(a_resolved_neighbour_is_used_at_once);
  CPPUNIT_TEST(one_next_hop_does_not_take_all_that_may_wait);
  CPPUNIT_TEST(one_host_does_not_take_all_that_may_wait);
  CPPUNIT_TEST(packets_without_session_leave_room_to_those_without_neighbour);
  CPPUNIT_TEST_SUITE_END();

 public:
  void unresolved_next_hops_are_punted() {
    DataPath d;
    Client c = d.add_client();
    d.prefixes->set(prefix("203.0.113.0/24"),
                    RouteTarget::make(RouteKind::kVia, DataPath::kUnresolved));
    d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(7))));
    d.poll();
    const auto punts = d.punts();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, punts.size());
    CPPUNIT_ASSERT(punts[0].reason == PuntReason::kUnresolved);
    CPPUNIT_ASSERT_EQUAL(DataPath::kUnresolved, punts[0].adjacency);
    CPPUNIT_ASSERT_EQUAL(d.ports[1]->id(), punts[0].mbuf->port);
    CPPUNIT_ASSERT(parse_ip_packet(bytes_of(punts[0].mbuf)).valid);
    rte_pktmbuf_free(punts[0].mbuf);
  }

  void sealed_packets_wait_for_a_neighbour_too() {
    DataPath d;
    const Client c = d.add_client();
    for (const uint16_t adjacency : {DataPath::kUnresolved, kNoAdjacency}) {
      const PeerPath path =
          make_path(d.relay_endpoint(false), c.endpoint, d.ports[0]->id(), adjacency, 1500);
      d.peers->set_path(c.peer, &path);
      d.feed(1, d.from_gateway(udp({addr("203.0.113.9"), 2}, {c.inner4, 1}, pattern(7))));
      d.poll();
      const auto punts = d.punts();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, punts.size());
      CPPUNIT_ASSERT_EQUAL(adjacency, punts[0].adjacency);
      CPPUNIT_ASSERT_EQUAL(d.ports[0]->id(), punts[0].mbuf->port);
      CPPUNIT_ASSERT(parse_ip_packet(bytes_of(punts[0].mbuf)).to == c.endpoint.addr);
      rte_pktmbuf_free(punts[0].mbuf);
    }
  }

  void a_resolved_neighbour_is_used_at_once() {
    DataPath d;
    Client c = d.add_client();
    Adjacency& gateway = d.shared->adjacencies[DataPath::kGateway];
    gateway.mac_word = gateway.mac_word ^ 0xff0000000000;
    d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(7))));
    d.poll();
    Mac expected = DataPath::kGatewayMac;
    expected[5] ^= 0xff;
    CPPUNIT_ASSERT(parse_frame(d.sent(1).at(0)).to == expected);
  }

  void one_next_hop_does_not_take_all_that_may_wait() {
    DataPath d;
    Client c = d.add_client();
    d.prefixes->set(prefix("203.0.113.0/24"),
                    RouteTarget::make(RouteKind::kVia, DataPath::kUnresolved));
    d.shared->adjacencies[DataPath::kGateway].mac_word = 0;
    for (int i = 0; i < 300; ++i) send(d, c, "203.0.113.9");
    for (int i = 0; i < 3; ++i) send(d, c, "8.8.8.8");
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{3}, waiting(d, "8.8.8.8"));
  }

  void one_host_does_not_take_all_that_may_wait() {
    DataPath d;
    Client c = d.add_client();
    for (int i = 0; i < 300; ++i) send(d, c, "198.51.100.7");
    for (int i = 0; i < 3; ++i) send(d, c, "198.51.100.8");
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{3}, waiting(d, "198.51.100.8"));
  }

  void packets_without_session_leave_room_to_those_without_neighbour() {
    DataPath d;
    for (int i = 0; i < 40; ++i) {
      const Client away = d.add_client();
      d.peers->set_current(away.peer, 0);
      for (int k = 0; k < 10; ++k) {
        d.feed(1, d.from_gateway(udp({addr("203.0.113.9"), 2}, {away.inner4, 1}, {})));
      }
    }
    d.poll();
    Client c = d.add_client();
    for (int i = 0; i < 3; ++i) send(d, c, "198.51.100.7");
    d.poll();
    CPPUNIT_ASSERT(d.drops(Drop::kNoSession) > 0);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, waiting(d, "198.51.100.7"));
  }

 private:
  static void send(DataPath& d, Client& c, const char* to) {
    d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {addr(to), 2}, {})));
  }
  /// How many packets to `to` the control thread got; takes all of them away.
  static size_t waiting(DataPath& d, const char* to) {
    size_t count = 0;
    for (const Punt& punt : d.punts()) {
      count += parse_ip_packet(bytes_of(punt.mbuf)).to == addr(to);
      rte_pktmbuf_free(punt.mbuf);
    }
    return count;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TransmitTest);

}  // namespace wirelay::dataplane
