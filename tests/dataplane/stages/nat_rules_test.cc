// Protects: what leads inside by rule: ports of a public address, of the port's own among them, and
// public addresses that are one inside. Either way, by whatever worker, with the errors about it,
// from outside and from other users, and beside the mappings of the same user.
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

// The first client's, inside.
const IpAddr kInside = addr("10.0.1.1");
const IpAddr kPool = addr("198.51.100.64"), kOwn = addr("198.51.100.1"),
             kAlone = addr("198.51.100.99");

NatSettings with_rules() {
  NatSettings settings = nat_settings();
  settings.pools.push_back({kOwn, 128});
  const auto forward = [&](const IpAddr& address, uint8_t protocol, uint16_t port,
                           uint16_t inside_port, uint16_t count = 1) {
    settings.statics.push_back({.address = address.v4_be(),
                                .inside = kInside.v4_be(),
                                .protocol = protocol,
                                .port = port,
                                .inside_port = inside_port,
                                .count = count});
  };
  forward(kPool, IPPROTO_TCP, 80, 8080);
  forward(kPool, IPPROTO_UDP, 1030, 5000, 10);  // within a block
  forward(kOwn, IPPROTO_TCP, 443, 443);
  settings.statics.push_back({.address = kAlone.v4_be(), .inside = addr("10.0.1.2").v4_be()});
  return settings;
}

}  // namespace

class NatRulesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatRulesTest);
  CPPUNIT_TEST(ports_lead_inside_and_back);
  CPPUNIT_TEST(ports_of_the_ports_own_address);
  CPPUNIT_TEST(an_address_of_its_own_carries_everything);
  CPPUNIT_TEST(users_reach_each_other_by_them);
  CPPUNIT_TEST(errors_are_about_what_was_sent);
  CPPUNIT_TEST(mappings_stand_beside_them);
  CPPUNIT_TEST(they_change_while_packets_pass);
  CPPUNIT_TEST_SUITE_END();

 public:
  void ports_lead_inside_and_back() {
    NatLab lab(with_rules(), 2);
    Client c = lab.d.add_client(false, 1);
    const auto got = lab.in(c, tcp(kServer, {kPool, 80}, 1, 0, kSyn));
    CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), got);
    CPPUNIT_ASSERT((ends_of(*got) == Ends{kServer, {kInside, 8080}}));
    const auto back = lab.out(c, tcp({kInside, 8080}, kServer, 1, 2, kSyn | kAck));
    CPPUNIT_ASSERT((ends_of(back.value()) == Ends{{kPool, 80}, kServer}));
    const auto datagram = lab.in(c, udp(kServer, {kPool, 1039}, pattern(9)));
    CPPUNIT_ASSERT((ends_of(datagram.value()) == Ends{kServer, {kInside, 5009}}));
    CPPUNIT_ASSERT_MESSAGE("no state", lab.d.nat_records.empty());
    CPPUNIT_ASSERT(!lab.in(c, udp(kServer, {kPool, 1040}, pattern(9))));
    expect_drops(lab, Drop::kNatNoMapping, 1);
  }

  void ports_of_the_ports_own_address() {
    NatLab lab(with_rules());
    Client c = lab.d.add_client();
    const auto got = lab.in(c, tcp(kServer, {kOwn, 443}, 1, 0, kSyn));
    CPPUNIT_ASSERT((ends_of(got.value()) == Ends{kServer, {kInside, 443}}));
    CPPUNIT_ASSERT(lab.out(c, tcp({kInside, 443}, kServer, 1, 2, kSyn | kAck)));
    CPPUNIT_ASSERT(!lab.in(c, tcp(kServer, {kOwn, 444}, 1, 0, kSyn)));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("reset", size_t{1}, lab.gateway().size());
    expect_drops(lab, Drop::kUnknownService, 1);
  }

  void an_address_of_its_own_carries_everything() {
    NatLab lab(with_rules());
    lab.d.add_client();
    Client c = lab.d.add_client();
    for (const Bytes& packet :
         {udp(kServer, {kAlone, 53}, pattern(20)), tcp(kServer, {kAlone, 22}, 1, 0, kSyn),
          ping(kServer.addr, kAlone, 9), ip(kServer.addr, kAlone, 47, pattern(30))}) {
      const auto got = lab.in(c, packet);
      CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), got);
      CPPUNIT_ASSERT(parse_ip_packet(*got).to == c.inner4);
      CPPUNIT_ASSERT(parse_ip_packet(*got).payload.size() ==
                     parse_ip_packet(packet).payload.size());
    }
    for (const Bytes& packet :
         {udp({c.inner4, 53}, kServer, pattern(20)), ping(c.inner4, kServer.addr, 9),
          ping(c.inner4, kServer.addr, 9, 0), ip(c.inner4, kServer.addr, 47, pattern(30))}) {
      CPPUNIT_ASSERT(parse_ip_packet(lab.out(c, packet).value()).from == kAlone);
    }
    CPPUNIT_ASSERT(lab.d.nat_records.empty());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, lab.d.all_drops());
  }

  void users_reach_each_other_by_them() {
    NatLab lab(with_rules());
    lab.d.shared->isolated = true;
    Client a = lab.d.add_client(), b = lab.d.add_client();
    const auto got = lab.across(b, a, tcp({b.inner4, 7}, {kPool, 80}, 1, 0, kSyn));
    CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), got);
    CPPUNIT_ASSERT((ends_of(*got) == Ends{{kAlone, 7}, {kInside, 8080}}));
    const auto back = lab.across(a, b, tcp({kInside, 8080}, {kAlone, 7}, 1, 2, kSyn | kAck));
    CPPUNIT_ASSERT((ends_of(back.value()) == Ends{{kPool, 80}, {b.inner4, 7}}));
  }

  void errors_are_about_what_was_sent() {
    NatLab lab(with_rules());
    Client a = lab.d.add_client(), b = lab.d.add_client();
    // From outside, about what went out.
    for (Client* c : {&a, &b}) {
      const uint16_t port = c == &a ? 8080 : 99;
      const auto sent = lab.out(*c, tcp({c->inner4, port}, kServer, 1, 2, kAck));
      const IpAddr outside = ends_of(sent.value()).from.addr;
      const auto told = lab.in(*c, icmp_error(kServer.addr, outside, 3, 1, *sent));
      CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), told);
      CPPUNIT_ASSERT((ends_of(quoted_in(*told)) == Ends{{c->inner4, port}, kServer}));
    }
    const auto asked = lab.out(b, ping(b.inner4, kServer.addr, 9));
    const auto told = lab.in(b, icmp_error(kServer.addr, kAlone, 11, 0, asked.value()));
    CPPUNIT_ASSERT((ends_of(quoted_in(told.value())) == Ends{{b.inner4, 9}, {kServer.addr, 9}}));
    // From inside, about what came in.
    const auto got = lab.in(a, udp(kServer, {kPool, 1030}, pattern(9)));
    const auto closed = lab.out(a, icmp_error(kInside, kServer.addr, 3, 3, got.value()));
    CPPUNIT_ASSERT((ends_of(quoted_in(closed.value())) == Ends{kServer, {kPool, 1030}}));
    // And nobody says it for another.
    CPPUNIT_ASSERT(!lab.out(b, icmp_error(b.inner4, kServer.addr, 3, 3, *got)));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.d.drops(Drop::kNatNoMapping));
    // From the relay.
    for (const Bytes& packet :
         {tcp(kServer, {kPool, 80}, 1, 0, kSyn), ping(kServer.addr, kAlone, 9),
          ip(kServer.addr, kAlone, 47, pattern(30))}) {
      lab.d.now += DataPath::kHz;
      lab.d.peers->set_path(a.peer, nullptr);
      lab.d.peers->set_path(b.peer, nullptr);
      lab.d.feed(1, lab.d.from_gateway(packet));
      lab.d.poll();
      const auto answers = lab.gateway();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), size_t{1}, answers.size());
      const Bytes quoted = quoted_in(answers[0]);
      CPPUNIT_ASSERT(Bytes(quoted.begin() + 12, quoted.end()) ==
                     Bytes(packet.begin() + 12, packet.end()));
    }
  }

  void mappings_stand_beside_them() {
    NatSettings settings = with_rules();
    settings.pools = {prefix("198.51.100.64")};
    settings.each.blocks = 1;
    settings.statics.erase(settings.statics.begin() + 2);
    NatLab lab(settings);
    Client a = lab.d.add_client();
    // 64 ports, but for the ten of the rule, and no other finds its way there.
    for (uint16_t port = 1; port <= 54; ++port) {
      const uint16_t outside = lab.mapped(a, port).port;
      CPPUNIT_ASSERT(outside < 1030 || outside >= 1040);
    }
    CPPUNIT_ASSERT(!lab.out(a, udp({a.inner4, 55}, kServer, {})));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.d.drops(Drop::kNatPorts));
    CPPUNIT_ASSERT_EQUAL(uint16_t{1031}, lab.mapped(a, 5001).port);
  }

  void they_change_while_packets_pass() {
    NatSettings settings = with_rules();
    settings.pools = {prefix("198.51.100.64")};
    settings.statics.clear();
    NatLab lab(settings);
    Client server = lab.d.add_client(), user = lab.d.add_client();
    const Endpoint open = lab.mapped(user, 4000);
    const std::vector<NatStatic> rules = {{.address = open.addr.v4_be(),
                                           .inside = kInside.v4_be(),
                                           .protocol = IPPROTO_UDP,
                                           .port = open.port,
                                           .inside_port = 7}};
    lab.d.nat->set_statics(std::make_shared<const NatStatics>(rules));
    const auto got = lab.in(server, udp(kServer, open, pattern(9)));
    CPPUNIT_ASSERT((ends_of(got.value()) == Ends{kServer, {kInside, 7}}));
    CPPUNIT_ASSERT(
        (ends_of(lab.out(server, udp({kInside, 7}, kServer, {})).value()) == Ends{open, kServer}));
    // The user's port gets another end outside, and nobody that one.
    lab.wait(10);
    for (uint16_t port = 4000; port < 4100; ++port) {
      CPPUNIT_ASSERT(lab.mapped(user, port).port != open.port);
    }
    lab.d.nat->set_statics(std::make_shared<const NatStatics>(std::vector<NatStatic>()));
    CPPUNIT_ASSERT(!lab.in(server, udp(kServer, open, pattern(9))));
    expect_drops(lab, Drop::kNatNoMapping, 1);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatRulesTest);

}  // namespace wirelay::dataplane
