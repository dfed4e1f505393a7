// Protects: where destinations lead, for peers' packets and for plain ones, and what one hop does
// to a packet.
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

using namespace wirelay::test;

class RouteTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RouteTest);
  CPPUNIT_TEST(every_ttl_loses_one_with_a_right_checksum);
  CPPUNIT_TEST(last_hop_still_reaches_the_relay_itself);
  CPPUNIT_TEST(connected_hosts_without_adjacency_are_punted);
  CPPUNIT_TEST(longest_prefix_wins);
  CPPUNIT_TEST(a_peer_may_send_to_itself);
  CPPUNIT_TEST(ports_mtu_holds_to_the_byte);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_ttl_loses_one_with_a_right_checksum() {
    DataPath d;
    Client c = d.add_client();
    for (unsigned ttl = 2; ttl <= 255; ++ttl) {
      for (const bool v6 : {false, true}) {
        // The payload runs through all checksums with it.
        const IpAddr to = addr(v6 ? "2001:db8:99::9" : "203.0.113.9");
        Bytes packet =
            udp({v6 ? c.inner6 : c.inner4, 1}, {to, 2}, pattern(ttl), static_cast<uint8_t>(ttl));
        if (!v6) {
          packet[4] = static_cast<uint8_t>(ttl * 57);
          packet[5] = static_cast<uint8_t>(ttl * 31);
          fix_ipv4_checksum(packet);
        }
        d.feed(0, d.tunnelled(c, packet));
        d.poll();
        const auto out = d.sent(1);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
        const Parsed p = parse_ip_packet(parse_frame(out[0]).payload);
        CPPUNIT_ASSERT_MESSAGE("TTL " + std::to_string(ttl), p.valid);
        CPPUNIT_ASSERT_EQUAL(ttl - 1, unsigned{p.ttl});
      }
    }
  }

  void last_hop_still_reaches_the_relay_itself() {
    DataPath d;
    Client c = d.add_client();
    d.feed(0, d.tunnelled(c, echo_request(c.inner4, addr("10.0.0.1"), pattern(8), 1)));
    d.feed(0, d.tunnelled(c, echo_request(c.inner6, addr("fd00::1"), pattern(8), 1)));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, d.sent(0).size());
  }

  void connected_hosts_without_adjacency_are_punted() {
    DataPath d;
    Client c = d.add_client();
    const Bytes packet = udp({c.inner4, 1}, {addr("198.51.100.77"), 2}, pattern(20));
    d.feed(0, d.tunnelled(c, packet));
    d.poll();
    const auto punts = d.punts();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, punts.size());
    CPPUNIT_ASSERT(punts[0].reason == PuntReason::kUnresolved);
    CPPUNIT_ASSERT_EQUAL(kNoAdjacency, punts[0].adjacency);
    CPPUNIT_ASSERT_EQUAL(d.ports[1]->id(), punts[0].mbuf->port);
    const Parsed p = parse_ip_packet(bytes_of(punts[0].mbuf));
    CPPUNIT_ASSERT(p.valid && p.to == addr("198.51.100.77") && p.ttl == 63);
    rte_pktmbuf_free(punts[0].mbuf);
  }

  void longest_prefix_wins() {
    DataPath d;
    Client a = d.add_client(), b = d.add_client();
    const Prefix wide[] = {prefix("10.8.0.0/16")};
    CPPUNIT_ASSERT(d.peers->set_allowed(b.peer, wide));
    d.prefixes->set(prefix("10.8.7.0/24"), RouteTarget::make(RouteKind::kVia, DataPath::kGateway));
    d.feed(0, d.tunnelled(a, udp({a.inner4, 1}, {addr("10.8.6.1"), 2}, {})));
    d.feed(0, d.tunnelled(a, udp({a.inner4, 1}, {addr("10.8.7.1"), 2}, {})));
    d.poll();
    const auto to_peer = d.sent(0), to_gateway = d.sent(1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, to_peer.size());
    CPPUNIT_ASSERT(d.open(b, to_peer[0]).has_value());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, to_gateway.size());
  }

  void a_peer_may_send_to_itself() {
    DataPath d;
    Client c = d.add_client();
    d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {c.inner4, 2}, pattern(5))));
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
    CPPUNIT_ASSERT(d.open(c, out[0]).has_value());
  }

  void ports_mtu_holds_to_the_byte() {
    DataPath d;
    Client c = d.add_client();
    d.port(1).mtu = 1280;
    const Endpoint server{addr("2001:db8:99::9"), 2};
    d.feed(0, d.tunnelled(c, udp({c.inner6, 1}, server, pattern(1280 - 48))));
    d.feed(0, d.tunnelled(c, udp({c.inner6, 1}, server, pattern(1281 - 48))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kTooBig));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RouteTest);

}  // namespace wirelay::dataplane
