// Protects: what users have of NAT44 is bounded, and who has had all of it is told (RFC 6888,
// REQ-4; "administratively prohibited"): ports of its blocks, blocks of its address, flows, records
// of its worker. Others have theirs all the same, and what ends makes room again. Hostile packets
// take nothing.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

/// The client sends from this port, and it goes no further: it is told so.
void expect_refused(NatLab& lab, Client& c, uint16_t port, Drop drop) {
  const uint64_t before = lab.d.drops(drop);
  const Bytes packet = udp({c.inner4, port}, kServer, pattern(20));
  const auto told = lab.across(c, c, packet);
  CPPUNIT_ASSERT_MESSAGE(lab.d.drop_text(), told);
  const Parsed p = parse_ip_packet(*told);
  CPPUNIT_ASSERT_EQUAL(3, int{p.payload[0]});
  CPPUNIT_ASSERT_EQUAL(13, int{p.payload[1]});
  CPPUNIT_ASSERT((ends_of(quoted_in(*told)) == Ends{{c.inner4, port}, kServer}));
  CPPUNIT_ASSERT_EQUAL(before + 1, lab.d.drops(drop));
}

}  // namespace

class NatLimitsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatLimitsTest);
  CPPUNIT_TEST(ports_of_all_blocks);
  CPPUNIT_TEST(blocks_of_an_address);
  CPPUNIT_TEST(flows_of_a_user);
  CPPUNIT_TEST(limits_of_one_user);
  CPPUNIT_TEST(records_of_a_worker);
  CPPUNIT_TEST(what_waits_for_a_block_is_bounded);
  CPPUNIT_TEST(a_block_that_is_closing_is_waited_for);
  CPPUNIT_TEST(a_removed_user_leaves_nothing);
  CPPUNIT_TEST(damaged_packets_take_nothing);
  CPPUNIT_TEST(rfc6888_7_scans_make_no_state);
  CPPUNIT_TEST_SUITE_END();

 public:
  void ports_of_all_blocks() {
    NatLab lab;
    Client c = lab.d.add_client(), other = lab.d.add_client();
    for (uint16_t port = 1; port <= 128; ++port) lab.mapped(c, port);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lab.d.nat_records.size());
    expect_refused(lab, c, 129, Drop::kNatPorts);
    lab.mapped(c, 128);
    lab.mapped(other, 1);
    lab.wait(320, c);
    lab.mapped(c, 129);
  }

  void blocks_of_an_address() {
    NatSettings settings = nat_settings();
    settings.pools = {prefix("198.51.100.64")};
    settings.block_ports = 4096;  // fifteen of an address
    NatLab lab(settings);
    for (int i = 0; i < 15; ++i) {
      Client c = lab.d.add_client();
      lab.mapped(c, 4000);
    }
    CPPUNIT_ASSERT_EQUAL(0u, lab.d.nat->free_blocks());
    Client last = lab.d.add_client();
    expect_refused(lab, last, 4000, Drop::kNatNoBlock);
    lab.wait(320);  // mappings of five minutes
    lab.wait(NatWriter::kIdleSeconds + 2, last);
    CPPUNIT_ASSERT_EQUAL(15u, lab.d.nat->resting_blocks());
    expect_refused(lab, last, 4000, Drop::kNatNoBlock);
    lab.wait(NatWriter::kRestSeconds, last);
    CPPUNIT_ASSERT_EQUAL(15u, lab.d.nat->free_blocks());
    lab.mapped(last, 4000);
  }

  void flows_of_a_user() {
    NatSettings settings = nat_settings();
    settings.each.flows = 20;
    NatLab lab(settings);
    Client c = lab.d.add_client(), other = lab.d.add_client();
    for (uint16_t port = 1; port <= 10; ++port) lab.mapped(c, port);
    // One port of TCP to ten others.
    for (uint16_t port = 1; port <= 10; ++port) {
      CPPUNIT_ASSERT(lab.out(c, tcp({c.inner4, 7}, {kServer.addr, port}, 1, 0, kSyn)));
    }
    expect_refused(lab, c, 11, Drop::kNatFlows);
    lab.mapped(c, 10);
    lab.mapped(other, 1);
    lab.wait(320, c);
    lab.mapped(c, 11);
  }

  /// A user's own limits come first, and a new one holds at once; what is open stays.
  void limits_of_one_user() {
    NatLab lab;
    NatTable& table = *lab.d.shared->nat;
    Client c = lab.d.add_client(), other = lab.d.add_client();
    table.set_limits({1, 5});
    table.set_limits(c.user, {.flows = 3});
    for (uint16_t port = 1; port <= 5; ++port) lab.mapped(other, port);
    for (uint16_t port = 1; port <= 3; ++port) lab.mapped(c, port);
    expect_refused(lab, c, 4, Drop::kNatFlows);
    expect_refused(lab, other, 6, Drop::kNatFlows);
    table.set_limits(c.user, {.flows = 2});
    lab.mapped(c, 3);
    expect_refused(lab, c, 4, Drop::kNatFlows);
    table.set_limits(c.user, {});
    lab.mapped(c, 4);
    table.set_limits({1, 1000});
    for (uint16_t port = 1; port <= 64; ++port) lab.mapped(other, port);
    expect_refused(lab, other, 65, Drop::kNatPorts);
    table.set_limits(other.user, {.blocks = 2});
    lab.mapped(other, 65);
    table.set_limits(other.user, {.blocks = 1});
    lab.mapped(other, 65);
  }

  void records_of_a_worker() {
    NatSettings settings = nat_settings();
    settings.flows = 64;
    NatLab lab(settings);
    Client c = lab.d.add_client(), other = lab.d.add_client();
    for (uint16_t port = 1; port <= 63; ++port) lab.mapped(c, port);
    CPPUNIT_ASSERT(!lab.out(other, tcp({other.inner4, 7}, kServer, 1, 0, kSyn)));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, lab.d.drops(Drop::kNatTableFull));
    lab.received(other);
    lab.mapped(other, 1);
    expect_refused(lab, c, 64, Drop::kNatTableFull);
    lab.wait(320, c);
    lab.mapped(c, 64);
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.workers[0]->nat_flows->used());
  }

  /// All of them go on when there is one.
  void what_waits_for_a_block_is_bounded() {
    NatLab lab;
    Client c = lab.d.add_client();
    for (uint16_t port = 1; port <= 40; ++port) {
      lab.d.feed(0, lab.d.tunnelled(c, udp({c.inner4, port}, kServer, {})));
    }
    lab.d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{16}, lab.gateway().size());
    expect_drops(lab, Drop::kNatBlockAwaited, 24);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("one block for all", size_t{1}, lab.d.nat_records.size());
  }

  /// It is not known yet whether the user keeps it: nobody is told that it may have no more.
  void a_block_that_is_closing_is_waited_for() {
    NatSettings settings = nat_settings();
    settings.each.blocks = 1;
    NatLab lab(settings);
    Client c = lab.d.add_client();
    lab.mapped(c, 4000);
    NatBlock& block = lab.d.shared->nat->block(0);
    block.closing = true;
    CPPUNIT_ASSERT(!lab.out(c, udp({c.inner4, 4001}, kServer, {})));
    expect_drops(lab, Drop::kNatBlockAwaited, 1);  // in the end
    block.closing = false;
    lab.mapped(c, 4001);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.d.nat_records.size());
  }

  void a_removed_user_leaves_nothing() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(lab.out(c, tcp({c.inner4, 4000}, kServer, 1, 0, kSyn)));
    lab.d.nat->remove_user(c.user);
    CPPUNIT_ASSERT(!lab.in(c, udp(kServer, outside, {})));
    expect_drops(lab, Drop::kNatNoMapping, 1);
    // Who has its number and its address next has other ports.
    const Endpoint next = lab.mapped(c, 4000);
    CPPUNIT_ASSERT(next != outside);
    CPPUNIT_ASSERT(lab.in(c, udp(kServer, next, {})));
    lab.wait(20, c);
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.nat->resting_blocks());
    CPPUNIT_ASSERT(next == lab.mapped(c, 4000));
  }

  /// Of any length, and errors about any.
  void damaged_packets_take_nothing() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    const Bytes good[] = {udp(kServer, outside, pattern(30)), tcp(kServer, outside, 1, 2, kSyn),
                          ping(kServer.addr, outside.addr, outside.port, 0),
                          icmp_error(kServer.addr, outside.addr, 3, 1, udp(outside, kServer, {})),
                          ip(kServer.addr, outside.addr, 47, pattern(40))};
    for (const Bytes& packet : good) {
      for (size_t bytes = 20; bytes < packet.size(); ++bytes) {
        Bytes shorter(packet.begin(), packet.begin() + static_cast<long>(bytes));
        shorter[2] = 0;
        shorter[3] = static_cast<uint8_t>(bytes);
        fix_ipv4_checksum(shorter);
        lab.d.feed(1, lab.d.from_gateway(shorter));
        shorter = ip(c.inner4, kServer.addr, shorter[9], {shorter.begin() + 20, shorter.end()});
        lab.d.feed(0, lab.d.tunnelled(c, shorter));
        lab.d.poll();
        lab.d.now += DataPath::kHz / 100;
        lab.d.sent(0);
        lab.d.sent(1);
      }
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("buffers", 0u, lab.d.mbufs_in_use());
    CPPUNIT_ASSERT(outside == lab.mapped(c, 4000));
  }

  void rfc6888_7_scans_make_no_state() {
    NatLab lab;
    Client c = lab.d.add_client();
    const Endpoint outside = lab.mapped(c, 4000);
    uint64_t scanned = 0;
    for (uint32_t port = 1; port < 65536; port += 97) {
      if (port == outside.port) continue;
      const Endpoint to{outside.addr, static_cast<uint16_t>(port)};
      lab.d.feed(1, lab.d.from_gateway(udp(kStranger, to, {})));
      lab.d.feed(1, lab.d.from_gateway(tcp(kStranger, to, 1, 0, kSyn)));
      lab.d.poll();
      scanned += 2;
    }
    CPPUNIT_ASSERT(lab.gateway().empty() && lab.received(c).empty());
    expect_drops(lab, Drop::kNatNoMapping, scanned);
    CPPUNIT_ASSERT_EQUAL(1u, lab.d.workers[0]->nat_flows->used());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lab.d.nat_records.size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatLimitsTest);

}  // namespace wirelay::dataplane
