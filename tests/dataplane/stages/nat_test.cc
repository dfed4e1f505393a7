// Protects: NAT44 in the data path beside its RFCs (nat_rfc_*.cc): the mappings of a user are
// one worker's, and packets that come to others find it, either way; what one of the relay's own
// addresses is used for at the same time; who may not send into a pool; what limits and quotas
// count; and errors that the relay makes of packets that it has translated.
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const IpAddr kPortAddress = addr("198.51.100.1");  // of port 1

/// Users go out with the port's own address.
NatSettings own_address() {
  NatSettings settings = nat_settings();
  settings.pools = {prefix("198.51.100.1")};
  return settings;
}

Bytes unfragmentable(Bytes packet) {
  packet[6] = 0x40;
  fix_ipv4_checksum(packet);
  return packet;
}

}  // namespace

class NatTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatTest);
  CPPUNIT_TEST(strays_find_their_owner);
  CPPUNIT_TEST(a_user_of_two_workers_has_one_owner);
  CPPUNIT_TEST(users_of_two_workers_meet);
  CPPUNIT_TEST(the_ports_own_address);
  CPPUNIT_TEST(the_ports_own_address_from_inside);
  CPPUNIT_TEST(errors_about_wireguard_stay_ours);
  CPPUNIT_TEST(nobody_outside_has_an_address_of_a_pool);
  CPPUNIT_TEST(ipv6_and_other_ports_are_not_translated);
  CPPUNIT_TEST(what_is_larger_than_the_port_takes);
  CPPUNIT_TEST(errors_to_users_who_meet);
  CPPUNIT_TEST(quotas_count_either_way);
  CPPUNIT_TEST(an_address_that_is_another_users_now);
  CPPUNIT_TEST_SUITE_END();

 public:
  /// Its last user's mappings live on for a while, and lead to nobody else.
  void an_address_that_is_another_users_now() {
    NatLab lab;
    Client a = lab.d.add_client(), b = lab.d.add_client();
    const Endpoint outside = lab.mapped(a, 4000);
    const auto sent = lab.out(a, udp({a.inner4, 4000}, kServer, pattern(40)));
    lab.d.shared->peers[a.peer].user = b.user;
    CPPUNIT_ASSERT(!lab.in(a, udp(kServer, outside, pattern(20))));
    expect_drops(lab, Drop::kNatNoMapping, 1);
    CPPUNIT_ASSERT(!lab.in(a, icmp_error(kServer.addr, outside.addr, 3, 3, *sent)));
    expect_drops(lab, Drop::kNatNoMapping, 2);
    // Its own are its own.
    const Endpoint mine = lab.mapped(a, 4000);
    CPPUNIT_ASSERT(lab.in(a, udp(kServer, mine, pattern(20))));
  }

  void strays_find_their_owner() {
    NatLab lab(nat_settings(), 2);
    // The user's session, and with it its mappings, are worker 1's.
    Client c = lab.d.add_client(false, 1);
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.workers[1]->nat_flows->used());
    for (uint16_t queue = 0; queue < 2; ++queue) {
      lab.d.feed(1, lab.d.from_gateway(udp(kServer, outside, pattern(20))), queue);
      lab.d.poll();
      CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.received(c).size());
    }
    // The session moves to another worker, and the mappings stay.
    lab.d.new_session(c, 0);
    CPPUNIT_ASSERT(outside == lab.mapped(c, 4000));
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, {})));
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.d.all_drops());
  }

  void a_user_of_two_workers_has_one_owner() {
    NatLab lab(nat_settings(), 2);
    Client one = lab.d.add_client(false, 0), two = lab.d.add_client(false, 1);
    lab.d.shared->peers[two.peer].user = one.user;
    const Endpoint first = lab.mapped(one, 4000), second = lab.mapped(two, 4000);
    CPPUNIT_ASSERT(first != second && first.addr == second.addr);
    CPPUNIT_ASSERT_EQUAL(2u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.d.nat_records.size());
    CPPUNIT_ASSERT(lab.in(two, udp(kServer, second, {})));
  }

  void users_of_two_workers_meet() {
    NatLab lab(nat_settings(), 2);
    Client a = lab.d.add_client(false, 0), b = lab.d.add_client(false, 1);
    const Endpoint of_a = lab.mapped(a, 4000), of_b = lab.mapped(b, 5000);
    for (int i = 0; i < 2; ++i) {
      CPPUNIT_ASSERT(lab.across(a, b, udp({a.inner4, 4000}, of_b, pattern(30))));
      CPPUNIT_ASSERT(lab.across(b, a, udp({b.inner4, 5000}, of_a, pattern(30))));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.d.all_drops());
  }

  /// What is neither WireGuard's, nor a ping, nor below the blocks is a user's.
  void the_ports_own_address() {
    NatLab lab(own_address());
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(outside.addr == kPortAddress);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, pattern(9))));
    // In parts, too.
    const auto parts = cut(udp(kServer, outside, pattern(1300)), 800);
    CPPUNIT_ASSERT(!lab.in(c, parts[0]));
    CPPUNIT_ASSERT(lab.in(c, parts[1]));
    // WireGuard's port is never given to a user; what comes to it is looked at as such.
    lab.d.feed(1, lab.d.from_gateway(udp(kServer, {kPortAddress, 51820}, Bytes(32))));
    lab.d.poll();
    expect_drops(lab, Drop::kUnknownMessage, 1);
    lab.d.feed(1, lab.d.from_gateway(echo_request(kServer.addr, kPortAddress, pattern(30))));
    lab.d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), size_t{1}, lab.gateway().size());
    lab.d.feed(1, lab.d.from_gateway(udp(kServer, {kPortAddress, 53}, {})));
    lab.d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE("closed", size_t{1}, lab.gateway().size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.d.drops(Drop::kUnknownService));
  }

  void the_ports_own_address_from_inside() {
    NatLab lab(own_address());
    Client a = lab.d.add_client(), b = lab.d.add_client();
    const Endpoint of_b = lab.mapped(b, 5000);
    CPPUNIT_ASSERT(lab.across(a, b, udp({a.inner4, 4000}, of_b, {})));
    for (const size_t bytes : {30u, 1600u}) {
      lab.d.now += DataPath::kHz;
      const Bytes ping = echo_request(a.inner4, kPortAddress, pattern(bytes));
      if (bytes < 1400) {
        CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), lab.across(a, a, ping));
      } else {
        for (const Bytes& part : cut(ping, 800)) lab.d.feed(0, lab.d.tunnelled(a, part));
        lab.d.poll();
        CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), size_t{2}, lab.d.sent(0).size());
      }
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.d.all_drops());
  }

  void errors_about_wireguard_stay_ours() {
    NatLab lab(own_address());
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    const Bytes ours = udp({kPortAddress, 51820}, {addr("203.0.113.5"), 7}, pattern(60));
    const auto too_big = [&](const Bytes& about) {
      return icmp_error(kServer.addr, kPortAddress, 3, 4, about, 528, 1300);
    };
    CPPUNIT_ASSERT(!lab.in(c, too_big(ours)));
    const auto punts = lab.d.punts();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, punts.size());
    CPPUNIT_ASSERT(punts[0].reason == PuntReason::kPathReport);
    rte_pktmbuf_free(punts[0].mbuf);
    CPPUNIT_ASSERT(lab.in(c, too_big(udp(outside, kServer, pattern(60)))));
  }

  void nobody_outside_has_an_address_of_a_pool() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(!lab.in(c, udp({addr("198.51.100.65"), 9}, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp({outside.addr, 9}, outside, {})));
    CPPUNIT_ASSERT(!lab.in(c, udp({c.inner4, 9}, outside, {})));
    expect_drops(lab, Drop::kSpoofedSource, 3);
  }

  void ipv6_and_other_ports_are_not_translated() {
    NatLab lab;
    Client c = lab.d.add_client();
    const auto sent = lab.out(c, udp({c.inner6, 1}, {addr("2001:db8:99::9"), 2}, pattern(9)));
    CPPUNIT_ASSERT(parse_ip_packet(sent.value()).from == c.inner6);
    lab.d.feed(0, lab.d.tunnelled(c, udp({c.inner4, 1}, {addr("192.0.2.77"), 2}, pattern(9))));
    lab.d.poll();
    const auto out = lab.d.sent(0);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
    CPPUNIT_ASSERT(parse_ip_packet(parse_frame(out[0]).payload).from == c.inner4);
    CPPUNIT_ASSERT(lab.d.nat_records.empty());
  }

  void what_is_larger_than_the_port_takes() {
    NatLab lab;
    Client c = lab.d.add_client();
    lab.d.port(1).mtu = 1000;
    const Bytes packet = udp({c.inner4, 4000}, kServer, pattern(1200));
    lab.d.feed(0, lab.d.tunnelled(c, packet));
    lab.d.poll();
    std::vector<Bytes> parts;
    for (const Bytes& frame : lab.d.sent(1)) parts.push_back(parse_frame(frame).payload);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), size_t{2}, parts.size());
    CPPUNIT_ASSERT(prefix("198.51.100.64/30").contains(ends_of(parts[1]).from.addr));
    // Told by what it was when the client sent it.
    const auto told = lab.across(c, c, unfragmentable(packet));
    CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), told);
    CPPUNIT_ASSERT((ends_of(quoted_in(*told)) == Ends{{c.inner4, 4000}, kServer}));
    expect_drops(lab, Drop::kTooBig, 1);
  }

  /// It goes as the packet came: back through both mappings.
  void errors_to_users_who_meet() {
    NatLab lab(nat_settings(), 2);
    Client a = lab.d.add_client(false, 0), b = lab.d.add_client(false, 1);
    const Endpoint of_b = lab.mapped(b, 5000);
    lab.mapped(a, 4000);
    lab.d.peers->set_path(b.peer, nullptr);
    const Bytes packet = udp({a.inner4, 4000}, of_b, pattern(50));
    const auto told = lab.across(a, a, packet);
    CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), told);
    const Parsed p = parse_ip_packet(*told);
    CPPUNIT_ASSERT(p.valid && p.from == addr("10.0.0.1") && p.to == a.inner4);
    CPPUNIT_ASSERT((ends_of(quoted_in(*told)) == Ends{{a.inner4, 4000}, of_b}));
    expect_drops(lab, Drop::kNoEndpoint, 1);
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.mbufs_in_use());
  }

  void quotas_count_either_way() {
    NatLab lab;
    Client c = lab.d.add_client();
    lab.d.give_quota(c, {.bytes = 1'000'000});
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, outside, pattern(100))));
    const QuotaUse use = lab.d.shared->users.quota(c.user).use();
    CPPUNIT_ASSERT_EQUAL(uint64_t{28 + 8}, use.up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{28 + 100}, use.down);
    CPPUNIT_ASSERT_EQUAL(uint64_t{28 + 8}, lab.d.session(c).rx_bytes.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatTest);

}  // namespace wirelay::dataplane
