// Protects: what NAT44 must do and must not with UDP, by the requirements of RFC 4787, with whose
// numbers the tests' names begin:
// *  1 endpoint-independent mapping, 2 paired pooling, 3 no port below 1024;
// *  5 and 6 two minutes and more, refreshed from inside alone;
// *  8 filtering as configured, 9 hairpinning with the public source;
// * 10 ICMP errors end no mapping, 13 and 14 what is too large, and fragments in any order.
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

}  // namespace

class NatRfcUdpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatRfcUdpTest);
  CPPUNIT_TEST(rfc4787_1_a_port_is_mapped_the_same_to_everybody);
  CPPUNIT_TEST(rfc4787_2_a_user_has_one_address);
  CPPUNIT_TEST(rfc4787_3_no_port_is_a_well_known_one);
  CPPUNIT_TEST(rfc4787_5_a_mapping_lives_as_long_as_it_is_configured_to);
  CPPUNIT_TEST(rfc4787_6_packets_from_inside_refresh_it);
  CPPUNIT_TEST(rfc4787_8_anybody_may_answer);
  CPPUNIT_TEST(rfc4787_8_or_only_who_was_asked);
  CPPUNIT_TEST(rfc4787_9_users_meet_by_their_public_ends);
  CPPUNIT_TEST(rfc4787_10_errors_end_no_mapping);
  CPPUNIT_TEST(rfc4787_13_what_is_too_large_says_so);
  CPPUNIT_TEST(rfc4787_14_fragments_in_any_order);
  CPPUNIT_TEST(checksums_that_are_left_out_stay_so);
  CPPUNIT_TEST_SUITE_END();

 public:
  void rfc4787_1_a_port_is_mapped_the_same_to_everybody() {
    for (const auto& settings : {nat_settings(), strict_nat_settings()}) {
      NatLab lab(settings);
      Client c = lab.d.add_client();
      const Endpoint first = lab.mapped(c, 4000);
      CPPUNIT_ASSERT(first == lab.mapped(c, 4000, kStranger));
      CPPUNIT_ASSERT(first == lab.mapped(c, 4000, {kStranger.addr, 9}));
      CPPUNIT_ASSERT(first != lab.mapped(c, 4001));
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.d.all_drops());
    }
  }

  void rfc4787_2_a_user_has_one_address() {
    NatLab lab;
    Client a = lab.d.add_client(), b = lab.d.add_client();
    std::set<IpAddr> of_a, of_b;
    for (uint16_t port = 1; port <= 100; ++port) {
      of_a.insert(lab.mapped(a, port).addr);
      of_b.insert(lab.mapped(b, port).addr);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of_a.size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, of_b.size());
    CPPUNIT_ASSERT_MESSAGE("users are spread", of_a != of_b);
    CPPUNIT_ASSERT(prefix("198.51.100.64/30").contains(*of_a.begin()));
  }

  void rfc4787_3_no_port_is_a_well_known_one() {
    NatSettings settings = nat_settings();
    settings.pools = {prefix("198.51.100.64")};
    settings.block_ports = 4096;
    NatLab lab(settings);
    Client c = lab.d.add_client();
    std::set<uint16_t> ports;
    for (uint16_t port = 1; port <= 500; ++port) ports.insert(lab.mapped(c, port).port);
    CPPUNIT_ASSERT_EQUAL(size_t{500}, ports.size());
    CPPUNIT_ASSERT(*ports.begin() >= 1024 && *ports.rbegin() < 1024 + 4096);
  }

  void rfc4787_5_a_mapping_lives_as_long_as_it_is_configured_to() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    lab.wait(299, c);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
    lab.wait(20, c);
    CPPUNIT_ASSERT(!lab.in(c, udp(kServer, outside, {})));
    expect_drops(lab, Drop::kNatNoMapping, 1);
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.workers[0]->nat_flows->used());
  }

  /// What comes from outside does not: nobody there holds it open.
  void rfc4787_6_packets_from_inside_refresh_it() {
    for (const auto& settings : {nat_settings(), strict_nat_settings()}) {
      NatLab lab(settings);
      Client c = lab.d.add_client();
      const Endpoint outside = lab.mapped(c, 4000);
      lab.wait(200, c);
      CPPUNIT_ASSERT(outside == lab.mapped(c, 4000));
      lab.wait(200, c);
      CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
      lab.wait(120, c);
      CPPUNIT_ASSERT(!lab.in(c, udp(kServer, outside, {})));
    }
  }

  void rfc4787_8_anybody_may_answer() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    const auto got = lab.in(c, udp(kStranger, outside, pattern(30)));
    CPPUNIT_ASSERT(got);
    CPPUNIT_ASSERT((ends_of(*got) == Ends{kStranger, {c.inner4, 4000}}));
    CPPUNIT_ASSERT(parse_ip_packet(*got).payload == pattern(30));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("and makes no state", 1u, lab.d.workers[0]->nat_flows->used());
  }

  void rfc4787_8_or_only_who_was_asked() {
    NatLab lab(strict_nat_settings());
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp({kServer.addr, 3}, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp(kStranger, outside, {})));
    expect_drops(lab, Drop::kNatFiltered, 2);
    lab.mapped(c, 4000, kStranger);
    CPPUNIT_ASSERT(lab.in(c, udp(kStranger, outside, {})));
  }

  void rfc4787_9_users_meet_by_their_public_ends() {
    for (const auto& settings : {nat_settings(), strict_nat_settings()}) {
      NatLab lab(settings);
      lab.d.shared->isolated = true;  // inside; by their public ends they reach each other
      Client a = lab.d.add_client(), b = lab.d.add_client();
      const Endpoint of_b = lab.mapped(b, 5000), of_a = lab.mapped(a, 4000);
      // Filters hold for users, too: each sends to the other.
      if (settings.filtering != NatFiltering::kEndpointIndependent) {
        CPPUNIT_ASSERT(!lab.across(b, a, udp({b.inner4, 5000}, of_a, {})));
      }
      const auto got = lab.across(a, b, udp({a.inner4, 4000}, of_b, pattern(50)));
      CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), got);
      CPPUNIT_ASSERT((ends_of(*got) == Ends{of_a, {b.inner4, 5000}}));
      const auto answer = lab.across(b, a, udp({b.inner4, 5000}, of_a, pattern(60)));
      CPPUNIT_ASSERT((ends_of(answer.value()) == Ends{of_b, {a.inner4, 4000}}));
      // And itself.
      CPPUNIT_ASSERT(lab.across(a, a, udp({a.inner4, 4000}, of_a, pattern(70))));
    }
  }

  void rfc4787_10_errors_end_no_mapping() {
    NatLab lab;
    Client c = lab.d.add_client();
    const auto sent = lab.out(c, udp({c.inner4, 4000}, kServer, pattern(40)));
    const Endpoint outside = ends_of(sent.value()).from;
    CPPUNIT_ASSERT(lab.in(c, icmp_error(kServer.addr, outside.addr, 3, 3, *sent)));
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
    CPPUNIT_ASSERT(outside == lab.mapped(c, 4000));
  }

  /// The host outside is told by its own address and port.
  void rfc4787_13_what_is_too_large_says_so() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    Bytes large = udp(kServer, outside, pattern(1472));
    large[6] = 0x40;
    fix_ipv4_checksum(large);
    CPPUNIT_ASSERT(!lab.in(c, large));
    const auto told = lab.gateway();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), size_t{1}, told.size());
    const Bytes message = parse_ip_packet(told[0]).payload;
    CPPUNIT_ASSERT_EQUAL(3, int{message[0]});
    CPPUNIT_ASSERT_EQUAL(4, int{message[1]});
    CPPUNIT_ASSERT_EQUAL(1440, message[6] << 8 | message[7]);
    const Bytes quoted = quoted_in(told[0]);
    CPPUNIT_ASSERT((ends_of(quoted) == Ends{kServer, outside}));
    CPPUNIT_ASSERT_MESSAGE("checksum as it was sent",
                           quoted[26] == large[26] && quoted[27] == large[27]);
    expect_drops(lab, Drop::kTooBig, 1);
  }

  void rfc4787_14_fragments_in_any_order() {
    for (const bool swapped : {false, true}) {
      NatLab lab;
      Client c = lab.d.add_client();
      auto parts = cut(udp({c.inner4, 4000}, kServer, pattern(1400)), 800);
      if (swapped) std::swap(parts[0], parts[1]);
      CPPUNIT_ASSERT(!lab.out(c, parts[0]));
      const auto sent = lab.out(c, parts[1]);
      CPPUNIT_ASSERT(parse_ip_packet(sent.value()).payload == pattern(1400));
      auto back = cut(udp(kServer, ends_of(*sent).from, pattern(1300, 7)), 800);
      if (swapped) std::swap(back[0], back[1]);
      CPPUNIT_ASSERT(!lab.in(c, back[0]));
      const auto got = lab.in(c, back[1]);
      CPPUNIT_ASSERT(parse_ip_packet(got.value()).payload == pattern(1300, 7));
      CPPUNIT_ASSERT((ends_of(*got) == Ends{kServer, {c.inner4, 4000}}));
    }
  }

  void checksums_that_are_left_out_stay_so() {
    NatLab lab;
    Client c = lab.d.add_client();
    Bytes packet = udp({c.inner4, 4000}, kServer, pattern(40));
    packet[26] = packet[27] = 0;
    const auto sent = lab.out(c, packet);
    CPPUNIT_ASSERT(!parse_ip_packet(sent.value()).udp_checksum);
    Bytes answer = udp(kServer, ends_of(*sent).from, pattern(40));
    answer[26] = answer[27] = 0;
    CPPUNIT_ASSERT(!parse_ip_packet(lab.in(c, answer).value()).udp_checksum);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatRfcUdpTest);

}  // namespace wirelay::dataplane
