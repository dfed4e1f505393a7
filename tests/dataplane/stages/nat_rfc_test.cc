// Protects: what NAT44 must do and must not, requirement by requirement:
//
//   RFC 4787 (UDP)  1 endpoint-independent mapping        2 paired pooling
//                   3 no port below 1024                  5, 6 two minutes and more; refreshed from
//                   inside 8 filtering, as configured            9 hairpinning, with the public
//                   source 10 ICMP errors end no mapping         13, 14 fragments, in any order
//   RFC 5382 (TCP)  2 simultaneous open                   3 filtering as UDP's
//                   4 no answer to an unasked SYN         5 2 h 4 min established, 4 min otherwise
//   RFC 5508 (ICMP) 1 pings for 60 s                      3, 4, 5 errors, either way, whole ones
//   alone RFC 6888        7 no state without a packet from inside RFC 7857        2 a reset may
//   have been forged: four minutes, and back when data follows
//
// The names of the tests begin with the requirement. RFC 6888's limits stand in nat_limits_test.cc.
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const Endpoint kOther{addr("203.0.113.77"), 5000};
constexpr uint8_t kFin = 1;

NatSettings filtering() {
  NatSettings settings = nat_settings();
  settings.filtering = NatFiltering::kAddressAndPortDependent;
  return settings;
}

/// A connection of the client's port 4000 to the server's port 80, opened by the client.
struct Connection {
  explicit Connection(const NatSettings& settings = nat_settings()) : lab(settings) {
    client = lab.d.add_client();
    inside = {client.inner4, 4000};
  }

  bool say(uint8_t flags) {
    const auto packet = lab.out(client, tcp(inside, server, 1, 1, flags));
    if (packet) outside = ends_of(*packet).from;
    return packet.has_value();
  }
  bool hear(uint8_t flags) { return hear_from(server, flags); }
  bool hear_from(const Endpoint& from, uint8_t flags) {
    const auto packet = lab.in(client, tcp(from, outside, 1, 1, flags));
    return packet.has_value() && ends_of(*packet).to == inside;
  }
  void establish() { CPPUNIT_ASSERT(say(kSyn) && hear(kSyn | kAck) && say(kAck)); }
  /// Is it there still, and ends, `seconds` after its last packet?
  void expect_life(uint64_t seconds) {
    lab.wait(seconds - 1, client);
    CPPUNIT_ASSERT(lab.d.workers[0]->nat_flows->used() != 0);
    lab.wait(20, client);
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT(!hear(kAck));
    expect_drops(lab, Drop::kNatNoMapping, 1);
  }

  NatLab lab;
  Client client;
  Endpoint inside, outside, server{kServer.addr, 80};
};

}  // namespace

class NatRfcTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatRfcTest);
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
  CPPUNIT_TEST(rfc5382_2_both_ends_may_open);
  CPPUNIT_TEST(rfc5382_4_unasked_opening_has_no_answer);
  CPPUNIT_TEST(rfc5382_4_resets_make_no_flow);
  CPPUNIT_TEST(rfc5382_5_established_connections_last);
  CPPUNIT_TEST(rfc5382_5_others_do_not);
  CPPUNIT_TEST(rfc5382_5_finished_ones_end);
  CPPUNIT_TEST(rfc7857_2_resets);
  CPPUNIT_TEST(rfc7857_2_ports_are_used_again);
  CPPUNIT_TEST(rfc5508_1_pings);
  CPPUNIT_TEST(rfc5508_3_damaged_errors_are_dropped);
  CPPUNIT_TEST(rfc5508_4_errors_from_outside);
  CPPUNIT_TEST(rfc5508_5_errors_from_inside);
  CPPUNIT_TEST(rfc6888_7_scans_make_no_state);
  CPPUNIT_TEST(checksums_that_are_left_out_stay_so);
  CPPUNIT_TEST_SUITE_END();

 public:
  void rfc4787_1_a_port_is_mapped_the_same_to_everybody() {
    for (const auto& settings : {nat_settings(), filtering()}) {
      NatLab lab(settings);
      Client c = lab.d.add_client();
      const Endpoint first = lab.mapped(c, 4000);
      CPPUNIT_ASSERT(first == lab.mapped(c, 4000, kOther));
      CPPUNIT_ASSERT(first == lab.mapped(c, 4000, {kOther.addr, 9}));
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
    for (const auto& settings : {nat_settings(), filtering()}) {
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
    const auto got = lab.in(c, udp(kOther, outside, pattern(30)));
    CPPUNIT_ASSERT(got);
    CPPUNIT_ASSERT((ends_of(*got) == Ends{kOther, {c.inner4, 4000}}));
    CPPUNIT_ASSERT(parse_ip_packet(*got).payload == pattern(30));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("and makes no state", 1u, lab.d.workers[0]->nat_flows->used());
  }

  void rfc4787_8_or_only_who_was_asked() {
    NatLab lab(filtering());
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp({kServer.addr, 3}, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp(kOther, outside, {})));
    expect_drops(lab, Drop::kNatFiltered, 2);
    lab.mapped(c, 4000, kOther);
    CPPUNIT_ASSERT(lab.in(c, udp(kOther, outside, {})));
  }

  void rfc4787_9_users_meet_by_their_public_ends() {
    for (const auto& settings : {nat_settings(), filtering()}) {
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

  void rfc5382_2_both_ends_may_open() {
    for (const auto& settings : {nat_settings(), filtering()}) {
      Connection tcp(settings);
      CPPUNIT_ASSERT(tcp.say(kSyn));
      CPPUNIT_ASSERT(tcp.hear(kSyn));
      CPPUNIT_ASSERT(tcp.say(kSyn | kAck));
      CPPUNIT_ASSERT(tcp.hear(kSyn | kAck));
      tcp.expect_life(7440);
    }
  }

  void rfc5382_4_unasked_opening_has_no_answer() {
    Connection tcp(filtering());
    CPPUNIT_ASSERT(tcp.say(kSyn));
    CPPUNIT_ASSERT(!tcp.hear_from(kOther, kSyn));
    expect_drops(tcp.lab, Drop::kNatFiltered, 1);
    tcp.outside.port = static_cast<uint16_t>(tcp.outside.port ^ 1);
    CPPUNIT_ASSERT(!tcp.hear_from(kOther, kSyn));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, tcp.lab.d.drops(Drop::kNatNoMapping));
    CPPUNIT_ASSERT(tcp.lab.gateway().empty());
  }

  /// Whoever tries an open port takes nothing of the user's flows.
  void rfc5382_4_resets_make_no_flow() {
    Connection open;
    open.establish();
    NatLab& lab = open.lab;
    CPPUNIT_ASSERT_EQUAL(2u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT(open.hear_from(kOther, kSyn));
    const auto sent = lab.out(open.client, tcp(open.inside, kOther, 0, 2, kReset | kAck));
    CPPUNIT_ASSERT((ends_of(sent.value()) == Ends{open.outside, kOther}));
    CPPUNIT_ASSERT_EQUAL(2u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT(!lab.out(open.client, tcp({open.client.inner4, 9}, kOther, 0, 2, kReset)));
    expect_drops(lab, Drop::kNatNoMapping, 1);
  }

  void rfc5382_5_established_connections_last() {
    Connection tcp;
    tcp.establish();
    tcp.expect_life(7440);
    Connection half;  // closed by one end alone
    half.establish();
    CPPUNIT_ASSERT(half.say(kFin | kAck));
    half.expect_life(7440);
  }

  void rfc5382_5_others_do_not() {
    Connection tcp;
    CPPUNIT_ASSERT(tcp.say(kSyn));
    tcp.expect_life(240);
    Connection answered;
    CPPUNIT_ASSERT(answered.say(kSyn) && answered.hear(kSyn | kAck));
    answered.expect_life(240);
  }

  void rfc5382_5_finished_ones_end() {
    Connection tcp;
    tcp.establish();
    CPPUNIT_ASSERT(tcp.say(kFin | kAck) && tcp.hear(kFin | kAck) && tcp.say(kAck));
    tcp.expect_life(240);
  }

  void rfc7857_2_resets() {
    Connection tcp;
    tcp.establish();
    CPPUNIT_ASSERT(tcp.hear(kReset));
    tcp.expect_life(240);
    Connection forged;
    forged.establish();
    CPPUNIT_ASSERT(forged.hear(kReset) && forged.say(kAck));
    forged.expect_life(7440);
  }

  void rfc7857_2_ports_are_used_again() {
    Connection tcp;
    tcp.establish();
    CPPUNIT_ASSERT(tcp.say(kFin | kAck) && tcp.hear(kFin | kAck));
    const Endpoint before = tcp.outside;
    tcp.establish();
    CPPUNIT_ASSERT(before == tcp.outside);
    tcp.expect_life(7440);
  }

  void rfc5508_1_pings() {
    for (const auto& settings : {nat_settings(), filtering()}) {
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
      NatLab lab(filtering());
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
    NatLab lab(filtering());
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

  void rfc6888_7_scans_make_no_state() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    uint64_t scanned = 0;
    for (uint32_t port = 1; port < 65536; port += 97) {
      if (port == outside.port) continue;
      const Endpoint to{outside.addr, static_cast<uint16_t>(port)};
      lab.d.feed(1, lab.d.from_gateway(udp(kOther, to, {})));
      lab.d.feed(1, lab.d.from_gateway(tcp(kOther, to, 1, 0, kSyn)));
      lab.d.poll();
      scanned += 2;
    }
    CPPUNIT_ASSERT(lab.gateway().empty() && lab.received(c).empty());
    expect_drops(lab, Drop::kNatNoMapping, scanned);
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.d.nat_records.size());
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

CPPUNIT_TEST_SUITE_REGISTRATION(NatRfcTest);

}  // namespace wirelay::dataplane
