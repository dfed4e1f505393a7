// Protects: what NAT44 must do and must not with ICMP, by the requirements of RFC 5508, with whose
// numbers the tests' names begin: 1 pings for a minute; 3, 4 and 5 errors, either way, of which
// only whole ones are believed.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

}  // namespace

class NatRfcIcmpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatRfcIcmpTest);
  CPPUNIT_TEST(rfc5508_1_pings);
  CPPUNIT_TEST(rfc5508_3_damaged_errors_are_dropped);
  CPPUNIT_TEST(rfc5508_4_errors_from_outside);
  CPPUNIT_TEST(rfc5508_5_errors_from_inside);
  CPPUNIT_TEST_SUITE_END();

 public:
  void rfc5508_1_pings() {
    for (const auto& settings : {nat_settings(), strict_nat_settings()}) {
      NatLab lab(settings);
      Client c = lab.d.add_client();
      const auto sent = lab.out(c, ping(c.inner4, kServer.addr, 77));
      const Ends ends = ends_of(sent.value());
      CPPUNIT_ASSERT(ends.from.port >= 1024);
      const Bytes reply = ping(kServer.addr, ends.from.addr, ends.from.port, 0);
      const auto got = lab.in(c, reply);
      CPPUNIT_ASSERT_EQUAL(uint16_t{77}, ends_of(got.value()).to.port);
      lab.wait(59, c);
      CPPUNIT_ASSERT(lab.in(c, reply));
      lab.wait(20, c);
      CPPUNIT_ASSERT(!lab.in(c, reply));
      expect_drops(lab, Drop::kNatNoMapping, 1);
      CPPUNIT_ASSERT(!lab.in(c, ping(kServer.addr, ends.from.addr, ends.from.port)));
      CPPUNIT_ASSERT_EQUAL_MESSAGE("pings of it", uint64_t{1}, lab.d.drops(Drop::kNatProtocol));
    }
  }

  void rfc5508_3_damaged_errors_are_dropped() {
    NatLab lab;
    Client c = lab.d.add_client();
    const auto sent = lab.out(c, udp({c.inner4, 4000}, kServer, pattern(40)));
    Bytes error = icmp_error(kServer.addr, ends_of(sent.value()).from.addr, 11, 0, *sent);
    error.back() ^= 1;
    CPPUNIT_ASSERT(!lab.in(c, error));
    expect_drops(lab, Drop::kNatMalformed, 1);
  }

  /// With what they quote, from any router, of each protocol, and of no more than eight bytes.
  void rfc5508_4_errors_from_outside() {
    const IpAddr router = addr("203.0.113.1");
    for (const size_t bytes : {28u, 528u}) {
      NatLab lab(strict_nat_settings());
      Client c = lab.d.add_client();
      const Bytes asked[] = {udp({c.inner4, 4000}, kServer, pattern(40)),
                             tcp({c.inner4, 4000}, kServer, 7, 0, kSyn),
                             ping(c.inner4, kServer.addr, 77)};
      for (Bytes packet : asked) {
        const auto sent = lab.out(c, packet);
        const auto got = lab.in(
            c, icmp_error(router, ends_of(sent.value()).from.addr, 3, 4, *sent, bytes, 1300));
        CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), got);
        const Parsed p = parse_ip_packet(*got);
        CPPUNIT_ASSERT(p.valid && p.from == router && p.to == c.inner4);
        CPPUNIT_ASSERT_EQUAL(1300, p.payload[6] << 8 | p.payload[7]);
        // What it quotes is what the client has sent, one hop further.
        --packet[8];
        fix_ipv4_checksum(packet);
        packet.resize(std::min(packet.size(), bytes));
        CPPUNIT_ASSERT(quoted_in(*got) == packet);
      }
    }
  }

  void rfc5508_5_errors_from_inside() {
    NatLab lab(strict_nat_settings());
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    const Bytes asked = udp(kServer, outside, pattern(40));
    const auto got = lab.in(c, asked);
    const auto sent = lab.out(c, icmp_error(c.inner4, kServer.addr, 3, 3, got.value()));
    CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), sent);
    const Parsed p = parse_ip_packet(*sent);
    CPPUNIT_ASSERT(p.valid && p.from == outside.addr && p.to == kServer.addr);
    CPPUNIT_ASSERT((ends_of(quoted_in(*sent)) == Ends{kServer, outside}));
    // About what never came by a mapping there is nothing to say.
    const Bytes other = udp(kServer, {c.inner4, 4001}, pattern(40));
    CPPUNIT_ASSERT(!lab.out(c, icmp_error(c.inner4, kServer.addr, 3, 3, other)));
    expect_drops(lab, Drop::kNatNoMapping, 1);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatRfcIcmpTest);

}  // namespace wirelay::dataplane
