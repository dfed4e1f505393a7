// Protects: the relay answers pings of its own addresses, with the request's data and right
// checksums: through the tunnel what came by the tunnel, and to the sender's MAC what came by a
// port.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

void expect_answer(const Bytes& answer, const IpAddr& from, const IpAddr& to,
                   const Bytes& request) {
  const Parsed a = parse_ip_packet(answer), r = parse_ip_packet(request);
  CPPUNIT_ASSERT(a.valid);
  CPPUNIT_ASSERT(a.from == from && a.to == to);
  CPPUNIT_ASSERT_EQUAL(uint8_t{64}, a.ttl);
  CPPUNIT_ASSERT_EQUAL(from.is_v4() ? 0 : 129, int{a.payload[0]});
  // All behind type, code and checksum: identifier, sequence number and data.
  CPPUNIT_ASSERT(Bytes(a.payload.begin() + 4, a.payload.end()) ==
                 Bytes(r.payload.begin() + 4, r.payload.end()));
}

}  // namespace

class EchoTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EchoTest);
  CPPUNIT_TEST(port_addresses_answer_to_the_senders_mac);
  CPPUNIT_TEST(tunnel_addresses_answer_through_the_tunnel);
  CPPUNIT_TEST(tunnel_addresses_answer_the_plain_network);
  CPPUNIT_TEST(port_addresses_answer_through_the_tunnel);
  CPPUNIT_TEST(every_length_and_checksum_is_answered);
  CPPUNIT_TEST_SUITE_END();

 public:
  void port_addresses_answer_to_the_senders_mac() {
    DataPath d;
    const std::pair<const char*, const char*> pairs[] = {{"203.0.113.200", "198.51.100.1"},
                                                         {"2001:db8:77::2", "2001:db8:2::1"}};
    const Mac sender = {2, 7, 7, 7, 7, 7};
    for (const auto& [from, to] : pairs) {
      const Bytes request = echo_request(addr(from), addr(to), pattern(56), 33);
      const rte_mbuf* in = d.feed(
          1, ethernet(d.mac(1), sender, addr(from).is_v4() ? kTypeIpv4 : kTypeIpv6, request));
      d.poll();
      const auto out = d.sent_mbufs(1);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
      CPPUNIT_ASSERT(out[0] == in);
      const Frame f = parse_frame(bytes_of(out[0]));
      rte_pktmbuf_free(out[0]);
      CPPUNIT_ASSERT(f.to == sender && f.from == d.mac(1));
      expect_answer(f.payload, addr(to), addr(from), request);
    }
  }

  void tunnel_addresses_answer_through_the_tunnel() {
    DataPath d;
    Client c = d.add_client();
    answered_by_tunnel(d, c, c.inner4, addr("10.0.0.1"));
    answered_by_tunnel(d, c, c.inner6, addr("fd00::1"));
  }

  void port_addresses_answer_through_the_tunnel() {
    DataPath d;
    Client c = d.add_client(true);
    answered_by_tunnel(d, c, c.inner4, addr("198.51.100.1"));
    answered_by_tunnel(d, c, c.inner6, addr("2001:db8:1::1"));
  }

  void tunnel_addresses_answer_the_plain_network() {
    DataPath d;
    const Bytes request = echo_request(addr("198.51.100.7"), addr("10.0.0.1"), pattern(9));
    d.feed(1, d.from_gateway(request));
    d.poll();
    const auto out = d.sent(1);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
    const Frame f = parse_frame(out[0]);
    CPPUNIT_ASSERT(f.to == DataPath::kGatewayMac);
    expect_answer(f.payload, addr("10.0.0.1"), addr("198.51.100.7"), request);
  }

  void every_length_and_checksum_is_answered() {
    DataPath d;
    Client c = d.add_client();
    for (size_t bytes = 0; bytes < 300; ++bytes) {
      d.now += DataPath::kHz / PuntAllowance::kPeriodsPerSecond;
      const auto ttl = static_cast<uint8_t>(1 + bytes % 255);
      for (const bool v6 : {false, true}) {
        const IpAddr from = v6 ? c.inner6 : c.inner4, to = addr(v6 ? "fd00::1" : "10.0.0.1");
        d.feed(0, d.tunnelled(
                      c, echo_request(from, to, pattern(bytes, static_cast<uint8_t>(bytes)), ttl)));
      }
      d.poll();
      const auto out = d.sent(0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, out.size());
      for (size_t i = 0; i < 2; ++i) {
        Bytes inner = d.open(c, out[i])->packet;
        inner.resize((i == 0 ? 20 : 40) + 8 + bytes);
        CPPUNIT_ASSERT(parse_ip_packet(inner).valid);
      }
    }
  }

 private:
  static void answered_by_tunnel(DataPath& d, Client& c, const IpAddr& from, const IpAddr& to) {
    const Bytes request = echo_request(from, to, pattern(56), 5);
    d.feed(0, d.tunnelled(c, request));
    d.poll();
    const auto out = d.sent(0);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
    const auto opened = d.open(c, out[0]);
    CPPUNIT_ASSERT(opened.has_value());
    Bytes answer = opened->packet;
    answer.resize(request.size());
    expect_answer(answer, to, from, request);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EchoTest);

}  // namespace wirelay::dataplane
