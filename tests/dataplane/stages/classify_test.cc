// Protects: what the control thread is bothered with, and in which form; what an address of ours
// accepts; and that Ethernet's padding is cut off. What is refused stands in drops_test.cc.
#include <algorithm>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const IpAddr kStranger4 = addr("192.0.2.77"), kRelay4 = addr("192.0.2.1");
const IpAddr kStranger6 = addr("2001:db8:1::77"), kRelay6 = addr("2001:db8:1::1");
constexpr size_t kUdp4 = 14 + 20, kUdp6 = 14 + 40;  // where UDP's header begins in a frame
const Mac kOurGroup = {0x33, 0x33, 0xff, 0, 0, 1};

/// To a message of ours that is out.
Bytes cookie_reply(DataPath& d) {
  Bytes message(sizeof(crypto::MessageCookieReply));
  message[0] = 3;
  crypto::store_le32(&message[4], d.sessions->reserve(0, 0).value());
  return message;
}

}  // namespace

class ClassifyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClassifyTest);
  CPPUNIT_TEST(handshakes_with_a_right_mac1_are_punted);
  CPPUNIT_TEST(cookie_replies_are_punted);
  CPPUNIT_TEST(cookie_replies_to_an_answer_of_ours_are_punted_until_it_is_used);
  CPPUNIT_TEST(a_flood_of_one_sender_leaves_others_their_part);
  CPPUNIT_TEST(a_flood_from_everywhere_leaves_known_sources_theirs);
  CPPUNIT_TEST(arp_that_concerns_us_is_punted);
  CPPUNIT_TEST(neighbour_discovery_is_punted);
  CPPUNIT_TEST(each_udp_port_is_served);
  CPPUNIT_TEST(queries_for_listeners_are_punted);
  CPPUNIT_TEST(a_priority_tag_is_no_vlan);
  CPPUNIT_TEST(plain_traffic_to_a_peer_may_be_fragmented);
  CPPUNIT_TEST(ethernet_padding_is_cut_off);
  CPPUNIT_TEST(good_checksum_of_the_nic_is_believed);
  CPPUNIT_TEST(handshakes_need_no_udp_checksum_over_ipv4);
  CPPUNIT_TEST(udp_checksum_found_right_by_the_nic_is_believed);
  CPPUNIT_TEST(udp_checksum_of_data_is_left_to_the_tag);
  CPPUNIT_TEST(udp_checksum_ends_with_the_datagram);
  CPPUNIT_TEST(ip_options_before_wireguard_are_skipped);
  CPPUNIT_TEST_SUITE_END();

 public:
  void handshakes_with_a_right_mac1_are_punted() {
    const std::pair<uint8_t, size_t> kinds[] = {{1, sizeof(crypto::MessageInitiation)},
                                                {2, sizeof(crypto::MessageResponse)}};
    for (const auto& [type, bytes] : kinds) {
      for (const bool v6 : {false, true}) {
        DataPath d;
        crypto::PublicKey self{};
        self[3] = 7;
        d.shared->mac1_key = crypto::mac1_key(self);
        Bytes message = pattern(bytes);
        crypto::store_le32(message.data(), type);
        if (type == 2) crypto::store_le32(&message[8], d.sessions->reserve(0, 0).value());
        crypto::MacWriter(self).write(message, 1);
        const Bytes frame = d.from_client(d.add_client(v6), message);
        expect_punt(d, frame, type == 1 ? PuntReason::kHandshake : PuntReason::kExpected);
        message[20] ^= 1;
        d.feed(0, d.from_client(d.add_client(v6), message));
        d.poll();
        CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kBadMac1));
      }
    }
  }

  void cookie_replies_are_punted() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      expect_punt(d, d.from_client(d.add_client(v6), cookie_reply(d)), PuntReason::kExpected);
    }
  }

  /// A loaded peer asks for a cookie also when we have answered it, and the session is made.
  void cookie_replies_to_an_answer_of_ours_are_punted_until_it_is_used() {
    DataPath d;
    Client c = d.add_client();
    Bytes reply = cookie_reply(d);
    crypto::store_le32(&reply[4], c.index);
    expect_punt(d, d.from_client(c, reply), PuntReason::kExpected);
    d.feed(0, d.tunnelled(c, {}));
    d.poll();
    d.feed(0, d.from_client(c, reply));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kUnasked));
  }

  void a_flood_of_one_sender_leaves_others_their_part() {
    DataPath d;
    d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
    Bytes initiation(sizeof(crypto::MessageInitiation));
    initiation[0] = 1;
    crypto::MacWriter(crypto::PublicKey{}).write(initiation, 1);
    const Client hostile = d.add_client(), honest = d.add_client();
    const auto question = [](uint8_t host) {
      const Mac mac = {2, 0, 0, 0, 5, host};
      return ethernet(kBroadcast, mac, kTypeArp, arp(1, mac, kStranger4, kRelay4));
    };
    for (int i = 0; i < 1000; ++i) {
      d.feed(0, d.from_client(hostile, initiation));
      d.feed(0, question(1));
    }
    d.feed(0, d.from_client(honest, initiation));
    d.feed(0, question(2));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000 - 64}, d.drops(Drop::kHandshakeFlood));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000 - 16}, d.drops(Drop::kDiscoveryFlood));
    CPPUNIT_ASSERT_EQUAL(size_t{64 + 1 + 16 + 1}, d.discard_punts());
  }

  /// Each known source has a part, all together have one, and what goes beyond is as all others.
  void a_flood_from_everywhere_leaves_known_sources_theirs() {
    DataPath d;
    d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
    Bytes initiation(sizeof(crypto::MessageInitiation));
    initiation[0] = 1;
    crypto::MacWriter(crypto::PublicKey{}).write(initiation, 1);
    const auto hear = [&](uint32_t from, unsigned times) {
      const std::string text =
          "198.51." + std::to_string(from / 250) + "." + std::to_string(from % 250 + 1);
      const Endpoint sender{*parse_ip(text), 7};
      const Bytes frame = ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4,
                                   udp(sender, d.relay_endpoint(false), initiation));
      for (unsigned i = 0; i < times; ++i) {
        d.feed(0, frame);
        d.poll();
      }
      return sender.addr;
    };
    const auto expected = [&] {
      const std::vector<Punt> all = d.punts();
      for (const Punt& punt : all) rte_pktmbuf_free(punt.mbuf);
      return std::ranges::count(all, PuntReason::kExpected, &Punt::reason);
    };
    for (uint32_t from = 0; from < 20; ++from) d.shared->known_sources.note(hear(from, 0), d.now);
    for (uint32_t stranger = 0; stranger < 300; ++stranger) hear(1000 + stranger, 1);
    CPPUNIT_ASSERT_EQUAL(uint64_t{300 - 256}, d.drops(Drop::kHandshakeFlood));
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{0}, expected());
    hear(0, 10);
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{4}, expected());
    for (uint32_t from = 1; from < 20; ++from) hear(from, 4);
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{60}, expected());
  }

  void arp_that_concerns_us_is_punted() {
    DataPath d;
    const auto frame = [&](const Mac& to, const Bytes& message) {
      return ethernet(to, DataPath::kPeerMac, kTypeArp, message);
    };
    const Mac& m = DataPath::kPeerMac;
    expect_punt(d, frame(kBroadcast, arp(1, m, kStranger4, kRelay4)), PuntReason::kArp);
    expect_punt(d, frame(d.mac(0), arp(2, m, kStranger4, kRelay4)), PuntReason::kArp);
    // An announcement: a gateway that has moved to another machine.
    expect_punt(d, frame(kBroadcast, arp(1, m, kStranger4, kStranger4)), PuntReason::kArp);
  }

  void neighbour_discovery_is_punted() {
    DataPath d;
    const auto frame = [&](const Mac& to, const Bytes& packet) {
      return ethernet(to, DataPath::kPeerMac, kTypeIpv6, packet);
    };
    const IpAddr group = addr("ff02::1:ff00:1");
    expect_punt(d, frame(kOurGroup, neighbour(135, kStranger6, group, kRelay6)),
                PuntReason::kNeighbour);
    expect_punt(d, frame(d.mac(0), neighbour(135, kStranger6, kRelay6, kRelay6)),
                PuntReason::kNeighbour);
    // Duplicate address detection asks from the unspecified address.
    expect_punt(d, frame(kOurGroup, neighbour(135, addr("::"), group, kRelay6)),
                PuntReason::kNeighbour);
    expect_punt(d, frame(d.mac(0), neighbour(136, kStranger6, kRelay6, kStranger6)),
                PuntReason::kNeighbour);
    expect_punt(d, frame(kAllNodes, neighbour(136, kStranger6, addr("ff02::1"), kStranger6)),
                PuntReason::kNeighbour);
  }

  void each_udp_port_is_served() {
    DataPath d;
    d.shared->listen_ports = {443, 51820, 53};
    for (const uint16_t port : {443, 51820, 53}) {
      Bytes frame = d.from_client(d.add_client(), cookie_reply(d));
      frame[kUdp4 + 2] = static_cast<uint8_t>(port >> 8);
      frame[kUdp4 + 3] = static_cast<uint8_t>(port);
      frame[kUdp4 + 6] = frame[kUdp4 + 7] = 0;  // no checksum
      expect_punt(d, frame, PuntReason::kExpected);
    }
  }

  void queries_for_listeners_are_punted() {
    DataPath d;
    expect_punt(d, listener_query(addr("fe80::9"), 1000), PuntReason::kNeighbour);
  }

  /// Switches send VLAN 0 for its priority; some drivers take the tag out themselves.
  void a_priority_tag_is_no_vlan() {
    const auto tagged = [](Bytes frame) {
      const Bytes tag = {0x81, 0, 0xa0, 0};
      frame.insert(frame.begin() + 12, tag.begin(), tag.end());
      return frame;
    };
    DataPath d;
    Client c = d.add_client();
    d.feed(0, tagged(d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(99)))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
    expect_punt(d, tagged(listener_query(addr("fe80::9"), 1000)), PuntReason::kNeighbour,
                listener_query(addr("fe80::9"), 1000));
    rte_mbuf* mbuf = d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(99))));
    mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    mbuf->vlan_tci = 0xa000;
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.sent(1).size());
  }

  void plain_traffic_to_a_peer_may_be_fragmented() {
    DataPath d;
    const Client c = d.add_client();
    Bytes packet = udp({addr("203.0.113.9"), 1}, {c.inner4, 2}, pattern(100));
    packet[6] = 0x20;
    fix_ipv4_checksum(packet);
    d.feed(1, d.from_gateway(packet));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(0).size());
  }

  void ethernet_padding_is_cut_off() {
    DataPath d;
    Client c = d.add_client();
    // As long as Ethernet's least frame: the echo request and the keepalive are shorter.
    Bytes ping = d.from_gateway(echo_request(addr("198.51.100.7"), addr("198.51.100.1"), {}));
    ping.resize(60, 0xee);
    d.feed(1, ping);
    Bytes plain = d.from_gateway(udp({addr("203.0.113.9"), 1}, {c.inner4, 2}, pattern(4)));
    plain.resize(60, 0xee);
    d.feed(1, plain);
    d.poll();
    const auto answers = d.sent(1), sealed = d.sent(0);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, answers.size());
    CPPUNIT_ASSERT_EQUAL(size_t{14 + 28}, answers[0].size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sealed.size());
    CPPUNIT_ASSERT_EQUAL(size_t{32}, d.open(c, sealed[0])->packet.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{32}, traffic_of(d.session(c)).tx_bytes);
  }

  void good_checksum_of_the_nic_is_believed() {
    DataPath d;
    Bytes frame = d.from_gateway(echo_request(addr("198.51.100.7"), addr("198.51.100.1"), {}));
    frame[14 + 10] ^= 1;
    d.feed(1, frame)->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(1).size());
  }

  /// RFC 768: zero says that the sender made none.
  void handshakes_need_no_udp_checksum_over_ipv4() {
    DataPath d;
    Bytes frame = d.from_client(d.add_client(), cookie_reply(d));
    frame[kUdp4 + 6] = frame[kUdp4 + 7] = 0;
    expect_punt(d, frame, PuntReason::kExpected);
  }

  void udp_checksum_found_right_by_the_nic_is_believed() {
    DataPath d;
    Bytes frame = d.from_client(d.add_client(), cookie_reply(d));
    frame[kUdp4 + 6] ^= 1;
    // The second says: the datagram never was on a wire, its sender left the sum to a NIC.
    for (const uint64_t flag : {RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_NONE}) {
      d.feed(0, frame)->ol_flags |= flag;
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.discard_punts());
    }
  }

  void udp_checksum_of_data_is_left_to_the_tag() {
    DataPath d;
    for (const bool v6 : {false, true}) {
      Client c = d.add_client(v6);
      Bytes frame = d.tunnelled(c, udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(9)));
      frame[(v6 ? kUdp6 : kUdp4) + 6] ^= 1;
      d.feed(0, frame);
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(1).size());
    }
  }

  /// IP may carry bytes behind the datagram (RFC 9868, section 7), which the checksum leaves out.
  void udp_checksum_ends_with_the_datagram() {
    DataPath d;
    Bytes frame = d.from_client(d.add_client(), cookie_reply(d)) + Bytes{1, 2, 3};
    frame[14 + 3] = static_cast<uint8_t>(frame[14 + 3] + 3);
    fix_ipv4_checksum(frame, 14);
    expect_punt(d, frame, PuntReason::kExpected);
  }

  void ip_options_before_wireguard_are_skipped() {
    DataPath d;
    Client c = d.add_client();
    Bytes frame = d.tunnelled(c, udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, pattern(9)));
    frame.insert(frame.begin() + 14 + 20, {1, 1, 1, 1});  // four times no operation
    frame[14] = 0x46;
    frame[14 + 3] = static_cast<uint8_t>(frame[14 + 3] + 4);
    fix_ipv4_checksum(frame, 14);
    d.feed(0, frame);
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, d.events().size());  // confirmed; not roamed
  }

 private:
  static void expect_punt(DataPath& d, const Bytes& frame, PuntReason reason) {
    expect_punt(d, frame, reason, frame);
  }
  static void expect_punt(DataPath& d, const Bytes& frame, PuntReason reason,
                          const Bytes& handed_up) {
    const rte_mbuf* in = d.feed(0, frame);
    d.poll();
    const auto punts = d.punts();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, punts.size());
    CPPUNIT_ASSERT(punts[0].reason == reason);
    CPPUNIT_ASSERT(punts[0].mbuf == in && in->port == d.ports[0]->id());
    CPPUNIT_ASSERT(bytes_of(punts[0].mbuf) == handed_up);
    rte_pktmbuf_free(punts[0].mbuf);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClassifyTest);

}  // namespace wirelay::dataplane
