// Protects: WireGuard's datagrams that a path has cut are opened, and large pings answered,
// whatever order their parts come in; parts that overlap, repeat or stay alone are given up,
// counted, and hold no more than a bounded number of buffers.
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "tests/dataplane/drop_cases.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

Bytes packet_of(const Bytes& frame) { return parse_frame(frame).payload; }

}  // namespace

class ReassembleTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReassembleTest);
  CPPUNIT_TEST(data_in_parts_is_opened);
  CPPUNIT_TEST(handshakes_in_parts_are_punted);
  CPPUNIT_TEST(large_pings_of_a_port_are_answered);
  CPPUNIT_TEST(large_pings_through_the_tunnel_are_answered);
  CPPUNIT_TEST(what_is_whole_for_itself_waits_for_nobody);
  CPPUNIT_TEST(many_parts_of_few_packets_are_bounded);
  CPPUNIT_TEST(what_waits_is_given_up_without_others);
  CPPUNIT_TEST(parts_that_overlap_are_given_up);
  CPPUNIT_TEST(a_flood_of_single_parts_is_bounded_and_ends);
  CPPUNIT_TEST(what_is_too_large_for_a_buffer_is_given_up);
  CPPUNIT_TEST_SUITE_END();

 public:
  void data_in_parts_is_opened() {
    for (const bool v6 : {false, true}) {
      for (const bool swapped : {false, true}) {
        DataPath d;
        Client c = d.add_client(v6);
        const Bytes packet = udp({c.inner4, 7}, {kServer4, 9}, pattern(1400));
        auto parts = cut(packet_of(d.tunnelled(c, packet)), 1376);
        if (swapped) std::swap(parts[0], parts[1]);
        for (const Bytes& part : parts) {
          d.feed(0, to_relay_frame(d, part));
          d.poll();
        }
        const auto out = d.sent(1);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
        const Parsed p = parse_ip_packet(packet_of(out[0]));
        CPPUNIT_ASSERT(p.valid && p.payload == pattern(1400));
        CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
        CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
      }
    }
  }

  /// Their checksum is looked at, whatever a NIC said of the parts.
  void handshakes_in_parts_are_punted() {
    DataPath d;
    d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
    Bytes initiation = message(1, 148);
    crypto::MacWriter(crypto::PublicKey{}).write(initiation, 1);
    for (const Bytes& part : cut(udp(test::kStranger4, test::kRelay4, initiation), 80)) {
      d.feed(0, to_relay_frame(d, part));
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.discard_punts());
    Bytes damaged = udp(test::kStranger4, test::kRelay4, initiation);
    damaged[100] ^= 1;
    for (const Bytes& part : cut(damaged, 80)) d.feed(0, to_relay_frame(d, part));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kBadChecksum));
  }

  void large_pings_of_a_port_are_answered() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Bytes request =
          echo_request(v6 ? test::kStranger6.addr : test::kStranger4.addr,
                       v6 ? test::kRelay6.addr : test::kRelay4.addr, pattern(1960));
      for (const Bytes& part : cut(request, 1440)) d.feed(0, to_relay_frame(d, part));
      d.poll();
      const auto out = d.sent(0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, out.size());
      Bytes payload;
      for (const Bytes& frame : out) {
        const Frame f = parse_frame(frame);
        CPPUNIT_ASSERT(f.to == DataPath::kPeerMac && f.payload.size() <= 1500);
        payload.insert(payload.end(), f.payload.begin() + (v6 ? 48 : 20), f.payload.end());
      }
      CPPUNIT_ASSERT(Bytes(payload.begin() + 8, payload.end()) == pattern(1960));
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void large_pings_through_the_tunnel_are_answered() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client();
      const Bytes request =
          echo_request(v6 ? c.inner6 : c.inner4, addr(v6 ? "fd00::1" : "10.0.0.1"), pattern(1960));
      for (const Bytes& part : cut(request, 1360)) d.feed(0, d.tunnelled(c, part));
      d.poll();
      Bytes payload;
      for (const Bytes& frame : d.sent(0)) {
        Bytes part = d.open(c, frame).value().packet;
        part.resize(v6 ? 40 + (part[4] << 8 | part[5]) : part[2] << 8 | part[3]);
        payload.insert(payload.end(), part.begin() + (v6 ? 48 : 20), part.end());
      }
      CPPUNIT_ASSERT_MESSAGE(d.drop_text(), payload.size() == 8 + 1960);
      CPPUNIT_ASSERT(Bytes(payload.begin() + 8, payload.end()) == pattern(1960));
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  /// IPv6 with a fragment header that says so (RFC 6946), from outside and from inside.
  void what_is_whole_for_itself_waits_for_nobody() {
    DataPath d;
    Client c = d.add_client(true);
    const auto atomic = [](const Bytes& packet) {
      const Bytes header = {packet[6], 0, 0, 0, 1, 2, 3, 4};
      return ip(IpAddr::v6(&packet[8]), IpAddr::v6(&packet[24]), 44,
                header + Bytes(packet.begin() + 40, packet.end()));
    };
    const Bytes inner = udp({c.inner6, 7}, {kServer6, 9}, pattern(100));
    d.feed(0, to_relay_frame(d, atomic(packet_of(d.tunnelled(c, inner)))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(1).size());
    d.feed(0, d.tunnelled(c, atomic(echo_request(c.inner6, addr("fd00::1"), pattern(40)))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }

  void many_parts_of_few_packets_are_bounded() {
    DataPath d;
    for (unsigned i = 0; i < 3000; ++i) {
      Bytes part = ip(test::kStranger4.addr, test::kRelay4.addr, kUdp, pattern(16));
      part[4] = static_cast<uint8_t>(i / 7 >> 8);
      part[5] = static_cast<uint8_t>(i / 7);
      part[6] = 0x20;
      part[7] = static_cast<uint8_t>(i % 7 * 2);
      fix_ipv4_checksum(part);
      d.feed(0, to_relay_frame(d, part));
      d.poll();
      CPPUNIT_ASSERT(d.mbufs_in_use() <= Reassembler::kMostBuffers);
    }
    CPPUNIT_ASSERT(d.mbufs_in_use() > Reassembler::kMostBuffers / 2);
  }

  /// Buffers come back though no more fragments come.
  void what_waits_is_given_up_without_others() {
    DataPath d;
    for (uint16_t id = 0; id < 100; ++id) {
      d.feed(0,
             to_relay_frame(d, cut(udp(test::kStranger4, test::kRelay4, pattern(100)), 48, id)[0]));
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL(100u, d.mbufs_in_use());
    d.now += DataPath::kHz;
    for (int i = 0; i < 2000; ++i) d.workers[0]->poll(d.now);
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, d.drops(Drop::kFragment));
  }

  void parts_that_overlap_are_given_up() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client(v6);
      const Bytes packet =
          packet_of(d.tunnelled(c, udp({c.inner4, 7}, {kServer4, 9}, pattern(600))));
      const auto early = cut(packet, 400), late = cut(packet, 480);
      d.feed(0, to_relay_frame(d, late[0]));
      d.feed(0, to_relay_frame(d, early[1]));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(size_t{0}, d.sent(1).size());
      d.now += DataPath::kHz;
      d.feed(0, to_relay_frame(d, cut(packet, 480, 1)[0]));
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), uint64_t{2}, d.drops(Drop::kFragment));
    }
  }

  void a_flood_of_single_parts_is_bounded_and_ends() {
    DataPath d;
    Client c = d.add_client();
    const Bytes packet = packet_of(d.tunnelled(c, udp({c.inner4, 7}, {kServer4, 9}, pattern(600))));
    for (unsigned i = 0; i < 3000; ++i) {
      d.feed(0, to_relay_frame(d, cut(packet, 400, static_cast<uint16_t>(i))[0]));
      d.poll();
      CPPUNIT_ASSERT(d.mbufs_in_use() <= Reassembler::kMostPackets);
      // Who sends whole datagrams is not touched by it.
      if (i % 100 == 0) {
        d.feed(0, d.tunnelled(c, udp({c.inner4, 7}, {kServer4, 9}, pattern(60))));
        d.poll();
        CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
      }
    }
    d.now += DataPath::kHz / 2;  // more than any of them has
    for (const Bytes& part : cut(packet, 400, 9999)) d.feed(0, to_relay_frame(d, part));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{3000}, d.drops(Drop::kFragment));
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }

  void what_is_too_large_for_a_buffer_is_given_up() {
    DataPath d;
    Bytes first = ip(test::kStranger4.addr, test::kRelay4.addr, kIcmp, pattern(1480));
    Bytes second = first;
    first[6] = 0x20;
    second[7] = 185;
    fix_ipv4_checksum(first);
    fix_ipv4_checksum(second);
    d.feed(0, to_relay_frame(d, first));
    d.feed(0, to_relay_frame(d, second));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), uint64_t{2}, d.drops(Drop::kFragment));
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReassembleTest);

}  // namespace wirelay::dataplane
