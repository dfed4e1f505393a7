// Protects: who sends what cannot go on is told so as a router tells it, in either family: through
// the tunnel or by the port that the packet came by, from an address of ours there, quoting the
// packet. And who is never told: of errors, of later fragments, and beyond the limit.
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/drop_cases.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

struct Told {
  int type4, code4, type6, code6;
};
constexpr Told kNoRouteTold{3, 0, 1, 0}, kUnreachable{3, 1, 1, 3}, kExpired{11, 0, 3, 0},
    kTooBigTold{3, 4, 2, 0}, kPortClosed{3, 3, 1, 4}, kUnknownProtocol{3, 2, 4, 1},
    kProhibited{3, 13, 1, 1};

const IpAddr kTunnel4 = addr("10.0.0.1"), kTunnel6 = addr("fd00::1");
const IpAddr kNobody4 = addr("10.0.9.9"), kNobody6 = addr("fd00::9:9");

/// An error of this kind to the packet's source, which quotes the packet from its start; `hops`:
/// how many the packet had been taken before.
void expect_error(const Bytes& answer, const Told& told, const IpAddr& from, Bytes packet,
                  unsigned hops = 0) {
  const bool v4 = from.is_v4();
  if (hops != 0) {
    packet[v4 ? 8 : 7] = static_cast<uint8_t>(packet[v4 ? 8 : 7] - hops);
    if (v4) fix_ipv4_checksum(packet);
  }
  const Parsed p = parse_ip_packet(answer);
  const Parsed original = parse_ip_packet(packet);
  CPPUNIT_ASSERT(p.valid);
  CPPUNIT_ASSERT(p.from == from && p.to == original.from);
  CPPUNIT_ASSERT_EQUAL(v4 ? kIcmp : kIcmp6, p.protocol);
  CPPUNIT_ASSERT_EQUAL(v4 ? told.type4 : told.type6, int{p.payload.at(0)});
  CPPUNIT_ASSERT_EQUAL(v4 ? told.code4 : told.code6, int{p.payload.at(1)});
  CPPUNIT_ASSERT(p.payload.size() > 8 + 28);
  const Bytes quoted(p.payload.begin() + 8, p.payload.end());
  CPPUNIT_ASSERT(quoted ==
                 Bytes(packet.begin(), packet.begin() + static_cast<long>(quoted.size())));
  CPPUNIT_ASSERT(quoted.size() == packet.size() || answer.size() == (v4 ? 496u : 1200u));
}

uint32_t reported_mtu(const Bytes& answer) {
  const Bytes icmp = parse_ip_packet(answer).payload;
  return uint32_t{icmp.at(6)} << 8 | icmp.at(7);
}

/// The one inner packet that a client gets, without its padding.
Bytes received(DataPath& d, const Client& c) {
  const auto out = d.sent(0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
  const auto opened = d.open(c, out[0]);
  CPPUNIT_ASSERT(opened.has_value());
  Bytes packet = opened->packet;
  packet.resize(packet[0] >> 4 == 4 ? packet[2] << 8 | packet[3]
                                    : 40 + (packet[4] << 8 | packet[5]));
  return packet;
}

/// The one packet that the gateway gets back from us.
Bytes returned(DataPath& d) {
  const auto out = d.sent(1);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
  const Frame f = parse_frame(out[0]);
  CPPUNIT_ASSERT(f.to == DataPath::kGatewayMac && f.from == d.mac(1));
  return f.payload;
}

Bytes forbid_fragments(Bytes packet) {
  if (packet[0] >> 4 == 6) return packet;
  packet[6] = 0x40;
  fix_ipv4_checksum(packet);
  return packet;
}

}  // namespace

class ErrorTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ErrorTest);
  CPPUNIT_TEST(a_peer_is_told_through_its_tunnel);
  CPPUNIT_TEST(a_network_is_told_by_its_port);
  CPPUNIT_TEST(what_is_too_big_says_what_fits);
  CPPUNIT_TEST(closed_ports_and_protocols_of_ours);
  CPPUNIT_TEST(tcp_to_us_is_reset);
  CPPUNIT_TEST(what_waited_in_vain);
  CPPUNIT_TEST(what_is_never_answered);
  CPPUNIT_TEST(answers_are_limited);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_peer_is_told_through_its_tunnel() {
    for (const bool v6 : {false, true}) {
      const IpAddr ours = v6 ? kTunnel6 : kTunnel4, server = v6 ? kServer6 : kServer4;
      const auto check = [&](const char* what, const Told& told, Drop drop,
                             const std::function<Bytes(DataPath&, Client&)>& make,
                             unsigned hops = 0) {
        DataPath d;
        Client c = d.add_client(v6);
        const Bytes packet = make(d, c);
        d.feed(0, d.tunnelled(c, packet));
        d.poll();
        expect_error(received(d, c), told, ours, packet, hops);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(what, uint64_t{1}, d.drops(drop));
        CPPUNIT_ASSERT_EQUAL_MESSAGE(what, uint64_t{1}, d.all_drops());
        CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
      };
      const auto to = [&](const IpAddr& target, uint8_t ttl) {
        return [&, target, ttl](DataPath&, Client& c) {
          return udp({v6 ? c.inner6 : c.inner4, 7}, {target, 9}, pattern(900), ttl);
        };
      };
      check("last hop to the network", kExpired, Drop::kTtlExpired, to(server, 1));
      check("last hop to a peer", kExpired, Drop::kTtlExpired, [&](DataPath& d, Client& c) {
        const Client other = d.add_client();
        return to(v6 ? other.inner6 : other.inner4, 1)(d, c);
      });
      check("no route", kNoRouteTold, Drop::kNoRoute, [&](DataPath& d, Client& c) {
        d.prefixes->remove(prefix(v6 ? "::/0" : "0.0.0.0/0"));
        return to(server, 64)(d, c);
      });
      check(
          "peer without an endpoint", kUnreachable, Drop::kNoEndpoint,
          [&](DataPath& d, Client& c) {
            const Client other = d.add_client();
            d.peers->set_path(other.peer, nullptr);
            return to(v6 ? other.inner6 : other.inner4, 64)(d, c);
          },
          1);
      check(
          "a peer of another user", kProhibited, Drop::kIsolated,
          [&](DataPath& d, Client& c) {
            d.shared->isolated = true;
            const Client other = d.add_client();
            return to(v6 ? other.inner6 : other.inner4, 64)(d, c);
          },
          1);
      check("nothing listens", kPortClosed, Drop::kUnknownLocal, to(ours, 64));
      check(
          "nothing left", kProhibited, Drop::kQuotaUp,
          [&](DataPath& d, Client& c) {
            d.give_quota(c, {.bytes = 1000, .counts = QuotaCounts::kBoth});
            d.shared->users.add_use(c.user, {.up = 1000, .down = 0});
            return to(server, 64)(d, c);
          },
          1);
    }
  }

  void a_network_is_told_by_its_port() {
    for (const bool v6 : {false, true}) {
      const IpAddr ours = v6 ? addr("2001:db8:2::1") : addr("198.51.100.1");
      const IpAddr server = v6 ? kServer6 : kServer4;
      const auto check = [&](const Told& told, Drop drop, const IpAddr& to, uint8_t ttl,
                             DataPath& d, unsigned hops = 0) {
        const Bytes packet = udp({server, 9}, {to, 7}, pattern(100), ttl);
        d.feed(1, d.from_gateway(packet));
        d.poll();
        expect_error(returned(d), told, ours, packet, hops);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), uint64_t{1}, d.drops(drop));
      };
      {
        DataPath d;
        const Client c = d.add_client(v6);
        check(kExpired, Drop::kTtlExpired, v6 ? c.inner6 : c.inner4, 1, d);
      }
      {
        DataPath d;
        const Client c = d.add_client(v6);
        d.peers->set_path(c.peer, nullptr);
        check(kUnreachable, Drop::kNoEndpoint, v6 ? c.inner6 : c.inner4, 64, d, 1);
      }
      {
        DataPath d;
        const Client c = d.add_client(v6);
        d.shared->users.set_ended(c.user, true);
        check(kProhibited, Drop::kUserExpired, v6 ? c.inner6 : c.inner4, 64, d, 1);
      }
      {
        DataPath d;
        check(kUnreachable, Drop::kNotForwarded, v6 ? kNobody6 : kNobody4, 64, d);
      }
      {
        DataPath d;
        check(kPortClosed, Drop::kUnknownService, ours, 64, d);
      }
    }
  }

  void what_is_too_big_says_what_fits() {
    for (const bool v6 : {false, true}) {
      for (const bool outer6 : {false, true}) {
        DataPath d;
        const Client c = d.add_client(outer6);
        const uint32_t fits = outer6 ? 1420 : 1440;
        const Bytes packet = forbid_fragments(
            udp({v6 ? kServer6 : kServer4, 9}, {v6 ? c.inner6 : c.inner4, 7}, pattern(1430)));
        d.feed(1, d.from_gateway(packet));
        d.poll();
        const Bytes answer = returned(d);
        expect_error(answer, kTooBigTold, v6 ? addr("2001:db8:2::1") : addr("198.51.100.1"), packet,
                     1);
        CPPUNIT_ASSERT_EQUAL(fits, reported_mtu(answer));
        CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kTooBig));
      }
      DataPath d;
      Client c = d.add_client();
      d.port(1).mtu = 1300;
      const Bytes packet = forbid_fragments(
          udp({v6 ? c.inner6 : c.inner4, 7}, {v6 ? kServer6 : kServer4, 9}, pattern(1301)));
      d.feed(0, d.tunnelled(c, packet));
      d.poll();
      const Bytes answer = received(d, c);
      expect_error(answer, kTooBigTold, v6 ? kTunnel6 : kTunnel4, packet, 1);
      CPPUNIT_ASSERT_EQUAL(1300u, reported_mtu(answer));
    }
  }

  void closed_ports_and_protocols_of_ours() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client();
      const Bytes sctp = ip(v6 ? c.inner6 : c.inner4, v6 ? kTunnel6 : kTunnel4, 132, pattern(40));
      d.feed(0, d.tunnelled(c, sctp));
      d.poll();
      const Bytes answer = received(d, c);
      expect_error(answer, kUnknownProtocol, v6 ? kTunnel6 : kTunnel4, sctp);
      if (v6) CPPUNIT_ASSERT_EQUAL_MESSAGE("next header's place", 6u, reported_mtu(answer));
      // ICMP that is none of ours draws no answer, nor what stands behind headers of options.
      d.feed(0, d.tunnelled(c, icmp(v6 ? c.inner6 : c.inner4, v6 ? kTunnel6 : kTunnel4,
                                    v6 ? 129 : 13, pattern(40))));
      if (v6)
        d.feed(0, d.tunnelled(c, ip(c.inner6, kTunnel6, 60, Bytes{132, 0, 1, 4, 0, 0, 0, 0})));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(size_t{0}, d.sent(0).size());
    }
  }

  void tcp_to_us_is_reset() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      Client c = d.add_client();
      const IpAddr from = v6 ? c.inner6 : c.inner4, ours = v6 ? kTunnel6 : kTunnel4;
      d.feed(0, d.tunnelled(c, tcp({from, 4000}, {ours, 80}, 1000, 0, kSyn)));
      d.poll();
      const Bytes reset = received(d, c);
      const Parsed p = parse_ip_packet(reset);
      CPPUNIT_ASSERT(p.valid && p.from == ours && p.to == from && p.protocol == kTcp);
      // From 80 to 4000, sequence 0, acknowledging the SYN, RST and ACK.
      const Bytes expected = {0, 80, 4000 >> 8, 4000 & 0xff, 0,           0,    0,
                              0, 0,  0,         1001 >> 8,   1001 & 0xff, 0x50, 0x14};
      CPPUNIT_ASSERT(Bytes(p.payload.begin(), p.payload.begin() + 14) == expected);
      CPPUNIT_ASSERT_EQUAL(size_t{20}, p.payload.size());
      d.feed(0, d.tunnelled(c, tcp({from, 4000}, {ours, 80}, 1000, 77, kReset)));
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE("a reset draws none", size_t{0}, d.sent(0).size());
      CPPUNIT_ASSERT_EQUAL(uint64_t{2}, d.drops(Drop::kUnknownLocal));
    }
  }

  /// The control thread gives it back to a worker.
  void what_waited_in_vain() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(v6);
      const Bytes packet =
          udp({v6 ? c.inner6 : c.inner4, 7}, {v6 ? kServer6 : kServer4, 9}, pattern(200));
      const Bytes ours = udp({addr("192.0.2.1"), 7}, {kServer4, 9}, pattern(200));
      Ring<Refused>& refused = d.shared->mailboxes[0]->refused;
      refused.push({d.make_mbuf(packet), Drop::kNeighbourUnresolved});
      refused.push({d.make_mbuf(ours), Drop::kNeighbourUnresolved});
      d.poll();
      expect_error(received(d, c), kUnreachable, v6 ? kTunnel6 : kTunnel4, packet);
      CPPUNIT_ASSERT_EQUAL(uint64_t{2}, d.drops(Drop::kNeighbourUnresolved));
      CPPUNIT_ASSERT_EQUAL(uint64_t{2}, d.all_drops());
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void what_is_never_answered() {
    DataPath d;
    const Client c = d.add_client();
    d.peers->set_path(c.peer, nullptr);
    Bytes later = udp({kServer4, 9}, {c.inner4, 7}, pattern(100));
    later[7] = 9;
    fix_ipv4_checksum(later);
    const Bytes fragment6 = Bytes{kUdp, 0, 0, 0x50, 0, 0, 0, 1} + pattern(60);
    const Bytes options6 = Bytes{kIcmp6, 0, 1, 4, 0, 0, 0, 0} + Bytes{1, 0, 0, 0} + pattern(60);
    const Bytes cut6 = {0, 9, 0, 0, 0, 0, 0, 0};
    const Bytes silent[] = {
        icmp(kServer4, c.inner4, 3, pattern(60)),
        icmp(kServer4, c.inner4, 11, pattern(60)),
        icmp(kServer6, c.inner6, 1, pattern(60)),
        icmp(kServer6, c.inner6, 127, pattern(60)),
        later,
        ip(kServer6, c.inner6, 44, fragment6),
        ip(kServer6, c.inner6, 60, options6),
        ip(kServer6, c.inner6, 0, cut6),
        ip(kServer4, c.inner4, kIcmp, {}),
        ip(kServer6, c.inner6, kIcmp6, {}),
    };
    for (const Bytes& packet : silent) {
      d.now += DataPath::kHz;
      d.feed(1, d.from_gateway(packet));
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE("packet " + std::to_string(&packet - silent), size_t{0},
                                   d.sent(1).size());
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{std::size(silent)}, d.drops(Drop::kNoEndpoint));
    // But of a ping it is told, and of UDP behind options.
    d.now += DataPath::kHz;
    d.feed(1, d.from_gateway(echo_request(kServer6, c.inner6, pattern(60))));
    d.feed(1, d.from_gateway(
                  ip(kServer6, c.inner6, 60, Bytes{kUdp, 0, 1, 4, 0, 0, 0, 0} + pattern(60))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, d.sent(1).size());
  }

  void answers_are_limited() {
    DataPath d;
    Client c = d.add_client();
    const auto burst = [&](uint8_t from) {
      for (int i = 0; i < 20; ++i) {
        const uint8_t source[4] = {203, 0, 113, from};
        d.feed(1, d.from_gateway(udp({IpAddr::v4(source), 9}, {kNobody4, 7}, pattern(100))));
      }
      d.poll();
      return d.sent(1).size();
    };
    CPPUNIT_ASSERT_EQUAL_MESSAGE("of one", size_t{4}, burst(1));
    size_t all = 4;
    for (uint8_t from = 2; from < 20; ++from) all += burst(from);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("of all", size_t{16}, all);
    d.now += DataPath::kHz / PuntAllowance::kPeriodsPerSecond;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("again", size_t{4}, burst(1));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("all are counted", uint64_t{400}, d.drops(Drop::kNotForwarded));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ErrorTest);

}  // namespace wirelay::dataplane
