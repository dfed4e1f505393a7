// Protects: what a path to a peer, or a port, does not take whole arrives in parts where its sender
// allows that; each part is limited and counted once; and TCP that begins over a tunnel learns what
// fits, whoever begins it.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/drop_cases.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

Bytes inner(const Opened& opened) {
  Bytes packet = opened.packet;
  packet.resize(size_t{packet[2]} << 8 | packet[3]);
  return packet;
}

/// The payload of IPv4 fragments that come in order.
Bytes joined4(const std::vector<Bytes>& parts) {
  Bytes payload;
  for (const Bytes& part : parts) {
    CPPUNIT_ASSERT_EQUAL(payload.size(), (size_t{part[6] & 0x1fu} << 8 | part[7]) * 8);
    payload.insert(payload.end(), part.begin() + 20, part.end());
  }
  return payload;
}

Bytes payload_of(const Bytes& packet) { return {packet.begin() + 20, packet.end()}; }

const Bytes kMss1460 = {2, 4, 1460 >> 8, 1460 & 0xff};

uint32_t mss_of(const Bytes& packet) {
  const size_t front = packet[0] >> 4 == 4 ? 20 : 40;
  return uint32_t{packet.at(front + 22)} << 8 | packet.at(front + 23);
}

}  // namespace

class FitTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FitTest);
  CPPUNIT_TEST(users_are_isolated_and_their_own_peers_are_not);
  CPPUNIT_TEST(users_of_an_open_group_reach_each_other);
  CPPUNIT_TEST(to_a_peer_it_comes_in_parts);
  CPPUNIT_TEST(to_a_network_it_comes_in_parts);
  CPPUNIT_TEST(a_burst_of_large_packets_loses_none);
  CPPUNIT_TEST(parts_are_limited_as_they_are_sent);
  CPPUNIT_TEST(what_ipv6_must_carry_is_cut_outside);
  CPPUNIT_TEST(tcp_learns_what_fits);
  CPPUNIT_TEST(between_peers_the_narrower_way_counts);
  CPPUNIT_TEST_SUITE_END();

 public:
  void users_are_isolated_and_their_own_peers_are_not() {
    DataPath d;
    Client a = d.add_client(), phone = d.add_client(), b = d.add_client();
    d.shared->peers[phone.peer].user = a.user;
    const Prefix behind[] = {{b.inner4, 128}, {b.inner6, 128}, prefix("10.8.0.0/16")};
    CPPUNIT_ASSERT(d.peers->set_allowed(b.peer, behind));
    const auto arrives = [&](const Client& at, const IpAddr& to) {
      d.now += DataPath::kHz;
      const IpAddr from = to.is_v4() ? a.inner4 : a.inner6;
      d.feed(0, d.tunnelled(a, udp({from, 7}, {to, 9}, pattern(40))));
      d.poll();
      const auto out = d.sent(0);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
      return d.open(at, out[0]).has_value();
    };
    for (const bool isolated : {false, true, false}) {
      d.shared->isolated = isolated;
      for (const IpAddr& to : {b.inner4, b.inner6, addr("10.8.7.6")}) {
        CPPUNIT_ASSERT_EQUAL(!isolated, arrives(b, to));
      }
      CPPUNIT_ASSERT(arrives(phone, phone.inner4) && arrives(phone, phone.inner6));
      CPPUNIT_ASSERT(arrives(a, a.inner4));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, d.drops(Drop::kIsolated));
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, d.all_drops());
    // What comes from a network is nobody's.
    d.shared->isolated = true;
    d.feed(1, d.from_gateway(udp(kServer, {b.inner4, 9}, pattern(40))));
    d.poll();
    CPPUNIT_ASSERT(d.open(b, d.sent(0).at(0)).has_value());
  }

  void users_of_an_open_group_reach_each_other() {
    DataPath d;
    Client a = d.add_client(), b = d.add_client();
    const auto meet = [&](uint64_t of_a, uint64_t of_b, const std::vector<uint64_t>& open) {
      d.shared->users.set_group(a.user, of_a);
      d.shared->users.set_group(b.user, of_b);
      d.shared->set_isolation(true, open);
      d.now += DataPath::kHz;
      d.feed(0, d.tunnelled(a, udp({a.inner4, 7}, {b.inner4, 9}, pattern(40))));
      d.poll();
      return d.open(b, d.sent(0).at(0)).has_value();
    };
    CPPUNIT_ASSERT(meet(5, 5, {4, 5}));
    CPPUNIT_ASSERT(!meet(5, 5, {4}));
    CPPUNIT_ASSERT(!meet(4, 5, {4, 5}));
    CPPUNIT_ASSERT_MESSAGE("no group is none", !meet(0, 0, {4, 5}));
    CPPUNIT_ASSERT_MESSAGE("no group is none", !meet(0, 0, {}));
  }

  void to_a_peer_it_comes_in_parts() {
    for (const bool outer6 : {false, true}) {
      DataPath d;
      Client c = d.add_client(outer6);
      const Bytes packet = udp({kServer4, 9}, {c.inner4, 7}, pattern(1472));
      d.feed(1, d.from_gateway(packet));
      d.poll();
      std::vector<Bytes> parts;
      for (const Bytes& frame : d.sent(0)) {
        CPPUNIT_ASSERT(frame.size() <= 14 + 1500);
        parts.push_back(inner(d.open(c, frame).value()));
      }
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, parts.size());
      CPPUNIT_ASSERT(joined4(parts) == payload_of(packet));
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void to_a_network_it_comes_in_parts() {
    DataPath d;
    Client c = d.add_client();
    d.port(1).mtu = 600;
    const Bytes packet = udp({c.inner4, 7}, {kServer4, 9}, pattern(1400));
    d.feed(0, d.tunnelled(c, packet));
    d.poll();
    std::vector<Bytes> parts;
    for (const Bytes& frame : d.sent(1)) {
      const Frame f = parse_frame(frame);
      CPPUNIT_ASSERT(f.to == DataPath::kGatewayMac && f.payload.size() <= 600);
      parts.push_back(f.payload);
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{3}, parts.size());
    CPPUNIT_ASSERT(joined4(parts) == payload_of(packet));
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }

  /// More parts than a burst has places: they take turns.
  void a_burst_of_large_packets_loses_none() {
    DataPath d;
    Client c = d.add_client();
    d.port(1).mtu = 300;
    for (uint8_t i = 0; i < 64; ++i) {
      d.feed(0, d.tunnelled(c, udp({c.inner4, i}, {kServer4, 9}, pattern(1400, i))));
      d.feed(1, d.from_gateway(udp({kServer4, i}, {c.inner4, 9}, pattern(1470, i))));
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{64 * 6}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{64 * 2}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
  }

  void parts_are_limited_as_they_are_sent() {
    DataPath d;
    Client c = d.add_client();
    UserLimits limits;
    limits.up.packets_per_second = limits.down.packets_per_second = 40;  // bursts of 32
    d.limit(c, limits);
    d.port(1).mtu = 1000;
    for (int i = 0; i < 40; ++i) {
      d.feed(0, d.tunnelled(c, udp({c.inner4, 7}, {kServer4, 9}, pattern(1400))));
    }
    d.poll();
    // Limited as the user sent them, whole.
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{32 * 2}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{8}, d.drops(Drop::kPacketRateUp));
    CPPUNIT_ASSERT_EQUAL(uint64_t{32 * 1428}, d.session(c).rx_bytes.load());
    for (int i = 0; i < 20; ++i) {
      d.feed(1, d.from_gateway(udp({kServer4, 7}, {c.inner4, 9}, pattern(1470))));
    }
    d.poll();
    // And as they go to the user: in parts.
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{32}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{8}, d.drops(Drop::kPacketRateDown));
  }

  /// 1,280 bytes inside of a path that takes no more outside.
  void what_ipv6_must_carry_is_cut_outside() {
    for (const bool outer6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(outer6);
      const PeerPath path = make_path(d.relay_endpoint(outer6), c.endpoint, d.ports[0]->id(),
                                      DataPath::kOutside, 1280);
      d.peers->set_path(c.peer, &path);
      const Bytes packet = udp({kServer6, 9}, {c.inner6, 7}, pattern(1280 - 48));
      d.feed(1, d.from_gateway(packet));
      d.poll();
      const auto frames = d.sent(0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{2}, frames.size());
      Bytes payload;
      for (const Bytes& frame : frames) {
        const Bytes part = parse_frame(frame).payload;
        CPPUNIT_ASSERT(part.size() <= 1280);
        payload.insert(payload.end(), part.begin() + (outer6 ? 48 : 20), part.end());
      }
      const Bytes whole = ip(d.relay_endpoint(outer6).addr, c.endpoint.addr, kUdp, payload);
      const auto opened = d.open(c, ethernet({}, {}, outer6 ? kTypeIpv6 : kTypeIpv4, whole));
      CPPUNIT_ASSERT_MESSAGE("it opens, its UDP checksum is right", opened.has_value());
      CPPUNIT_ASSERT_EQUAL(packet.size(), opened->packet.size());
      // Larger ones are refused, and what is said to fit does.
      d.feed(1, d.from_gateway(udp({kServer6, 9}, {c.inner6, 7}, pattern(1281 - 48))));
      d.poll();
      const Bytes told = parse_ip_packet(parse_frame(d.sent(1).at(0)).payload).payload;
      CPPUNIT_ASSERT_EQUAL(1280, told[6] << 8 | told[7]);
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void tcp_learns_what_fits() {
    for (const bool v6 : {false, true}) {
      const uint32_t fits = v6 ? 1440 - 60 : 1440 - 40;
      DataPath d;
      Client c = d.add_client();
      const IpAddr inside = v6 ? c.inner6 : c.inner4, outside = v6 ? kServer6 : kServer4;
      d.feed(0, d.tunnelled(c, tcp({inside, 7}, {outside, 9}, 1, 0, kSyn, kMss1460)));
      d.feed(1, d.from_gateway(tcp({outside, 9}, {inside, 7}, 1, 2, kSyn | kAck, kMss1460)));
      d.poll();
      const Bytes up = parse_frame(d.sent(1).at(0)).payload;
      Bytes down = d.open(c, d.sent(0).at(0))->packet;
      down.resize(up.size());
      CPPUNIT_ASSERT(parse_ip_packet(up).valid && parse_ip_packet(down).valid);
      CPPUNIT_ASSERT_EQUAL(fits, mss_of(up));
      CPPUNIT_ASSERT_EQUAL(fits, mss_of(down));
    }
  }

  void between_peers_the_narrower_way_counts() {
    DataPath d;
    Client wide = d.add_client(), narrow = d.add_client(true);
    const auto asked = [&](Client& from, const Client& to) {
      d.feed(0, d.tunnelled(from, tcp({from.inner4, 7}, {to.inner4, 9}, 1, 0, kSyn, kMss1460)));
      d.poll();
      return mss_of(d.open(to, d.sent(0).at(0))->packet);
    };
    CPPUNIT_ASSERT_EQUAL(uint32_t{1420 - 40}, asked(wide, narrow));
    CPPUNIT_ASSERT_EQUAL(uint32_t{1420 - 40}, asked(narrow, wide));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FitTest);

}  // namespace wirelay::dataplane
