// Protects: what NAT44 must do and must not with TCP, by requirements, with whose numbers the
// tests' names begin:
// * RFC 5382: 2 simultaneous open, 4 no answer to an unasked SYN, 5 two hours and four minutes for
//   what is established, four minutes otherwise;
// * RFC 7857: 2 a reset may have been forged: four minutes, and back when data follows.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr uint8_t kFin = 1;

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

class NatRfcTcpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatRfcTcpTest);
  CPPUNIT_TEST(rfc5382_2_both_ends_may_open);
  CPPUNIT_TEST(rfc5382_4_unasked_opening_has_no_answer);
  CPPUNIT_TEST(rfc5382_4_resets_make_no_flow);
  CPPUNIT_TEST(rfc5382_5_established_connections_last);
  CPPUNIT_TEST(rfc5382_5_others_do_not);
  CPPUNIT_TEST(rfc5382_5_finished_ones_end);
  CPPUNIT_TEST(rfc7857_2_resets);
  CPPUNIT_TEST(rfc7857_2_ports_are_used_again);
  CPPUNIT_TEST_SUITE_END();

 public:
  void rfc5382_2_both_ends_may_open() {
    for (const auto& settings : {nat_settings(), strict_nat_settings()}) {
      Connection tcp(settings);
      CPPUNIT_ASSERT(tcp.say(kSyn));
      CPPUNIT_ASSERT(tcp.hear(kSyn));
      CPPUNIT_ASSERT(tcp.say(kSyn | kAck));
      CPPUNIT_ASSERT(tcp.hear(kSyn | kAck));
      tcp.expect_life(7440);
    }
  }

  void rfc5382_4_unasked_opening_has_no_answer() {
    Connection tcp(strict_nat_settings());
    CPPUNIT_ASSERT(tcp.say(kSyn));
    CPPUNIT_ASSERT(!tcp.hear_from(kStranger, kSyn));
    expect_drops(tcp.lab, Drop::kNatFiltered, 1);
    tcp.outside.port = static_cast<uint16_t>(tcp.outside.port ^ 1);
    CPPUNIT_ASSERT(!tcp.hear_from(kStranger, kSyn));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, tcp.lab.d.drops(Drop::kNatNoMapping));
    CPPUNIT_ASSERT(tcp.lab.gateway().empty());
  }

  /// Whoever tries an open port takes nothing of the user's flows.
  void rfc5382_4_resets_make_no_flow() {
    Connection open;
    open.establish();
    NatLab& lab = open.lab;
    CPPUNIT_ASSERT_EQUAL(2u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT(open.hear_from(kStranger, kSyn));
    const auto sent = lab.out(open.client, tcp(open.inside, kStranger, 0, 2, kReset | kAck));
    CPPUNIT_ASSERT((ends_of(sent.value()) == Ends{open.outside, kStranger}));
    CPPUNIT_ASSERT_EQUAL(2u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT(!lab.out(open.client, tcp({open.client.inner4, 9}, kStranger, 0, 2, kReset)));
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatRfcTcpTest);

}  // namespace wirelay::dataplane
