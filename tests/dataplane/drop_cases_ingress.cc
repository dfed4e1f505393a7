// Drops of the ingress lane, see drop_cases.h.
#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>

#include "crypto/cookie.h"
#include "tests/dataplane/drop_cases.h"

namespace wirelay::test {

using namespace dataplane;

namespace {

/// UDP checksums, on the WireGuard port; looked at before mac1, which is wrong here as well.
void add_checksum_cases(std::vector<DropCase>& cases) {
  constexpr size_t kChecksum4 = 20 + 6, kChecksum6 = 40 + 6;
  const std::pair<uint8_t, size_t> handshake[] = {{1, 148}, {2, 92}, {3, 64}};
  for (const auto& [type, bytes] : handshake) {
    for (const auto& [from, to] :
         {std::pair(kStranger4, kRelay4), std::pair(kStranger6, kRelay6)}) {
      const bool v6 = !to.addr.is_v4();
      cases.push_back({Drop::kBadChecksum,
                       "message " + std::to_string(type) + (v6 ? " over IPv6" : ""),
                       to_relay(udp(from, to, message(type, bytes)),
                                [v6](Bytes& p) { p[v6 ? kChecksum6 : kChecksum4] ^= 1; })});
    }
  }
  const auto without = [](Bytes& p) { p[kChecksum6] = p[kChecksum6 + 1] = 0; };
  cases.push_back({Drop::kNoChecksum, "initiation over IPv6",
                   to_relay(udp(kStranger6, kRelay6, message(1, 148)), without)});
  cases.push_back(
      {Drop::kNoChecksum, "data over IPv6", [without](DataPath& d) {
         Client c = d.add_client(true);
         Bytes packet = udp(c.endpoint, kRelay6, d.seal(c, udp({c.inner4, 1}, kServer, {})));
         to_relay(packet, without)(d);
       }});
}

/// To messages of ours that await no answer, or none of this kind.
void add_unasked_cases(std::vector<DropCase>& cases) {
  const std::tuple<uint8_t, size_t, size_t> kinds[] = {{2, 92, 8}, {3, 64, 4}};
  for (const auto& [type, bytes, at] : kinds) {
    const auto answer = [type = type, bytes = bytes, at = at](uint32_t index) {
      Bytes out = message(type, bytes);
      crypto::store_le32(&out[at], index);
      if (type == 2) crypto::MacWriter(crypto::PublicKey{}).write(out, 1);
      return out;
    };
    const auto unasked = [&, type = type](const char* what,
                                          std::function<uint32_t(DataPath&)> index) {
      cases.push_back(
          {Drop::kUnasked, "message " + std::to_string(type) + ", " + what, frame([=](DataPath& d) {
             d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
             return to_relay_frame(d, udp(kStranger4, kRelay4, answer(index(d))));
           })});
    };
    unasked("index 0", [](DataPath&) { return 0u; });
    unasked("another tag",
            [](DataPath& d) { return d.sessions->reserve(0, 0).value() ^ 1u << 31; });
    unasked("given up", [](DataPath& d) {
      const uint32_t index = d.sessions->reserve(0, 0).value();
      d.sessions->retire(index);
      return index;
    });
    unasked("answered", [](DataPath& d) { return d.add_client(false, 0, true).index; });
    unasked("used", [](DataPath& d) {
      Client c = d.add_client();
      d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
      d.poll();
      return c.index;
    });
  }
}

void add_flood_cases(std::vector<DropCase>& cases) {
  cases.push_back({Drop::kHandshakeFlood, "initiations", [](DataPath& d) {
                     d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
                     Bytes initiation = message(1, 148);
                     crypto::MacWriter(crypto::PublicKey{}).write(initiation, 1);
                     const Bytes f = to_relay_frame(d, udp(kStranger4, kRelay4, initiation));
                     for (int i = 0; i < 65; ++i) d.feed(0, f);
                     d.poll();
                   }});
  for (const auto& [type, bytes, at] : {std::tuple(2, 92, 8), std::tuple(3, 64, 4)}) {
    cases.push_back(
        {Drop::kHandshakeFlood, "answers " + std::to_string(type),
         [type = type, bytes = bytes, at = at](DataPath& d) {
           d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
           Bytes answer = message(static_cast<uint8_t>(type), static_cast<size_t>(bytes));
           crypto::store_le32(&answer[static_cast<size_t>(at)], d.sessions->reserve(0, 0).value());
           if (type == 2) crypto::MacWriter(crypto::PublicKey{}).write(answer, 1);
           for (int i = 0; i < 5; ++i) {
             d.feed(0, to_relay_frame(d, udp(kStranger4, kRelay4, answer)));
           }
           d.poll();
         }});
  }
  cases.push_back({Drop::kDiscoveryFlood, "ARP", [](DataPath& d) {
                     for (int i = 0; i < 17; ++i) {
                       d.feed(0,
                              ethernet(kBroadcast, DataPath::kPeerMac, kTypeArp,
                                       arp(1, DataPath::kPeerMac, kStranger4.addr, kRelay4.addr)));
                     }
                     d.poll();
                   }});
  for (const bool v6 : {false, true}) {
    cases.push_back(
        {Drop::kReportFlood, v6 ? "packet too big" : "fragmentation needed", [v6](DataPath& d) {
           Bytes message = Bytes{static_cast<uint8_t>(v6 ? 2 : 3), 4} + Bytes(38);
           const Bytes packet = v6 ? ip(kStranger6.addr, kRelay6.addr, kIcmp6, message)
                                   : ip(kStranger4.addr, kRelay4.addr, kIcmp, message);
           for (int i = 0; i < 5; ++i) d.feed(0, to_relay_frame(d, packet));
           d.poll();
         }});
  }
  cases.push_back({Drop::kDiscoveryFlood, "neighbour solicitations", [](DataPath& d) {
                     const Bytes f = to_relay_frame(
                         d, neighbour(135, kStranger6.addr, kRelay6.addr, kRelay6.addr));
                     for (int i = 0; i < 17; ++i) d.feed(0, f);
                     d.poll();
                   }});
}

/// Queries for multicast listeners that are not from the link, or damaged.
void add_query_cases(std::vector<DropCase>& cases) {
  const auto query = [](const char* from, uint8_t hops, uint8_t damage) {
    return frame([=](DataPath&) {
      Bytes f = listener_query(addr(from), 1000);
      f[14 + 7] = hops;
      f.back() ^= damage;
      return f;
    });
  };
  cases.push_back({Drop::kNotForUs, "a query that was forwarded", query("fe80::9", 2, 0)});
  cases.push_back({Drop::kNotForUs, "a query from elsewhere", query("2001:db8:1::9", 1, 0)});
  cases.push_back({Drop::kBadChecksum, "a query", query("fe80::9", 1, 1)});
}

}  // namespace

void add_ingress_cases(std::vector<DropCase>& cases) {
  const Bytes echo4 = echo_request(kStranger4.addr, kRelay4.addr, pattern(56));
  const Bytes echo6 = echo_request(kStranger6.addr, kRelay6.addr, pattern(56));
  const Bytes hello = udp(kStranger4, kRelay4, message(9, 100));
  const auto raw = [](uint16_t type, const Bytes& payload, const Mac* to = nullptr) {
    const std::optional<Mac> mac = to == nullptr ? std::nullopt : std::optional<Mac>(*to);
    return frame([=](DataPath& d) {
      return ethernet(mac.value_or(d.mac(0)), DataPath::kPeerMac, type, payload);
    });
  };
  cases.push_back({Drop::kTooShort, "half an Ethernet header",
                   frame([](DataPath&) { return Bytes(10, 0xff); })});
  cases.push_back({Drop::kTooShort, "no IPv4 header", raw(kTypeIpv4, Bytes(19, 0x45))});
  cases.push_back({Drop::kTooShort, "no IPv6 header", raw(kTypeIpv6, Bytes(39, 0x60))});
  cases.push_back({Drop::kTooShort, "IPv4 longer than its frame",
                   raw(kTypeIpv4, Bytes(echo4.begin(), echo4.end() - 1))});
  cases.push_back({Drop::kTooShort, "IPv6 longer than its frame",
                   raw(kTypeIpv6, Bytes(echo6.begin(), echo6.end() - 1))});
  cases.push_back({Drop::kTooShort, "half an ARP message", raw(kTypeArp, Bytes(27))});
  cases.push_back({Drop::kTooShort, "half a neighbour solicitation",
                   to_relay(ip(kStranger6.addr, kRelay6.addr, kIcmp6, Bytes(23, 135), 255))});
  cases.push_back({Drop::kChained, "two segments", [echo4](DataPath& d) {
                     rte_mbuf* head =
                         d.make_mbuf(ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4, echo4));
                     rte_pktmbuf_chain(head, d.make_mbuf(pattern(10)));
                     d.ports[0]->feed(head);
                     d.poll();
                   }});
  const Mac other = {2, 9, 9, 9, 9, 9}, other_group = {0x33, 0x33, 0xff, 9, 9, 9};
  cases.push_back({Drop::kNotOurMac, "another host's MAC", raw(kTypeIpv4, echo4, &other)});
  cases.push_back(
      {Drop::kNotOurMac, "another solicited node", raw(kTypeIpv6, echo6, &other_group)});
  cases.push_back({Drop::kUnknownEtherType, "a VLAN tag", raw(0x8100, pattern(60, 1))});
  cases.push_back({Drop::kUnknownEtherType, "a VLAN tag that ends the frame", raw(0x8100, {0, 0})});
  cases.push_back(
      {Drop::kUnknownEtherType, "a VLAN tag that the driver took", [echo4](DataPath& d) {
         rte_mbuf* mbuf = d.feed(0, ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4, echo4));
         mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
         mbuf->vlan_tci = 7;
         d.poll();
       }});
  cases.push_back({Drop::kUnknownEtherType, "two tags", raw(0x8100, Bytes{0, 0, 0x81, 0} + echo4)});
  const Bytes arp_other = arp(1, DataPath::kPeerMac, kStranger4.addr, addr("192.0.2.50"));
  cases.push_back({Drop::kNotForUs, "ARP for another host", raw(kTypeArp, arp_other, &kBroadcast)});
  Bytes token_ring = arp(1, DataPath::kPeerMac, kStranger4.addr, kRelay4.addr);
  token_ring[1] = 6;
  cases.push_back({Drop::kNotForUs, "ARP of another medium", raw(kTypeArp, token_ring)});
  cases.push_back(
      {Drop::kNotForUs, "solicitation of another host",
       raw(kTypeIpv6, neighbour(135, kStranger6.addr, addr("ff02::1"), addr("2001:db8:1::50")),
           &kAllNodes)});
  cases.push_back({Drop::kNotForUs, "solicitation from beyond the link",
                   to_relay(neighbour(135, kStranger6.addr, kRelay6.addr, kRelay6.addr, 254))});
  cases.push_back(
      {Drop::kNotForUs, "IPv4 multicast",
       raw(kTypeIpv4, udp(kStranger4, {addr("224.0.0.251"), 5353}, pattern(20)), &kBroadcast)});
  cases.push_back(
      {Drop::kNotForUs, "IPv6 multicast",
       raw(kTypeIpv6, udp(kStranger6, {addr("ff02::1"), 5353}, pattern(20)), &kAllNodes)});
  // A packet for one host alone that was sent to all of them (RFC 1812, 5.3.4).
  cases.push_back({Drop::kNotForUs, "our address, broadcast", raw(kTypeIpv4, echo4, &kBroadcast)});
  cases.push_back({Drop::kNotForUs, "our address, multicast", raw(kTypeIpv6, echo6, &kAllNodes)});
  cases.push_back({Drop::kNotForUs, "a peer's address, broadcast", [](DataPath& d) {
                     const Client c = d.add_client();
                     for (const IpAddr& to : {c.inner4, c.inner6}) {
                       const bool v4 = to.is_v4();
                       d.feed(1, ethernet(v4 ? kBroadcast : kAllNodes, DataPath::kGatewayMac,
                                          v4 ? kTypeIpv4 : kTypeIpv6,
                                          udp({v4 ? kServer4 : kServer6, 7}, {to, 7}, {})));
                     }
                     d.poll();
                   }});
  cases.push_back({Drop::kNotForUs, "WireGuard, broadcast", [](DataPath& d) {
                     Client c = d.add_client();
                     Bytes frame = d.tunnelled(c, udp({c.inner4, 1}, kServer, {}));
                     std::copy(kBroadcast.begin(), kBroadcast.end(), frame.begin());
                     d.feed(0, frame);
                     d.poll();
                   }});
  cases.push_back({Drop::kBadIpHeader, "IPv6 under IPv4's type", raw(kTypeIpv4, echo6)});
  cases.push_back({Drop::kBadIpHeader, "IPv4 under IPv6's type", raw(kTypeIpv6, echo4)});
  cases.push_back(
      {Drop::kBadIpHeader, "a header of 16 bytes", to_relay(checksummed(echo4, 0, 0x44))});
  cases.push_back(
      {Drop::kBadIpHeader, "shorter than its header", to_relay(checksummed(echo4, 3, 19))});
  cases.push_back(
      {Drop::kBadChecksum, "IPv4 header", to_relay(echo4, [](Bytes& p) { p[10] ^= 1; })});
  cases.push_back(
      {Drop::kBadChecksum, "found by the NIC, IP", [echo4](DataPath& d) {
         d.feed(0, ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4, echo4))->ol_flags |=
             RTE_MBUF_F_RX_IP_CKSUM_BAD;
         d.poll();
       }});
  cases.push_back(
      {Drop::kBadChecksum, "found by the NIC, UDP", [hello](DataPath& d) {
         d.feed(0, ethernet(d.mac(0), DataPath::kPeerMac, kTypeIpv4, hello))->ol_flags |=
             RTE_MBUF_F_RX_L4_CKSUM_BAD;
         d.poll();
       }});
  cases.push_back(
      {Drop::kBadChecksum, "echo request", to_relay(echo4, [](Bytes& p) { p.back() ^= 1; })});
  cases.push_back({Drop::kBadChecksum, "echo request over IPv6",
                   to_relay(echo6, [](Bytes& p) { p.back() ^= 1; })});
  Bytes solicitation = neighbour(135, kStranger6.addr, kRelay6.addr, kRelay6.addr);
  solicitation[50] ^= 1;
  cases.push_back({Drop::kBadChecksum, "neighbour solicitation", to_relay(solicitation)});
  const auto alone = [](const Bytes& part) {
    return [=](DataPath& d) {
      d.feed(0, to_relay_frame(d, part));
      d.poll();
      d.now += DataPath::kHz;
      for (int i = 0; i < 2000; ++i) d.workers[0]->poll(d.now);  // given up within some
    };
  };
  cases.push_back({Drop::kFragment, "first", alone(checksummed(hello, 6, 0x20))});
  cases.push_back({Drop::kFragment, "later", alone(checksummed(hello, 7, 1))});
  cases.push_back(
      {Drop::kFragment, "IPv6", alone(cut(udp(kStranger6, kRelay6, pattern(60)), 32)[0])});
  for (const char* source : {"0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255"}) {
    cases.push_back({Drop::kMartian, std::string("from ") + source,
                     to_relay(echo_request(addr(source), kRelay4.addr, pattern(8)))});
  }
  for (const char* source : {"::", "::1", "ff02::1"}) {
    cases.push_back({Drop::kMartian, std::string("from ") + source,
                     to_relay(echo_request(addr(source), kRelay6.addr, pattern(8)))});
  }
  cases.push_back({Drop::kMartian, "a mapped address", to_relay(echo6, [](Bytes& p) {
                     std::memcpy(&p[8], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
                   })});
  cases.push_back({Drop::kMartian, "from everybody's MAC", frame([echo4](DataPath& d) {
                     return ethernet(d.mac(0), kBroadcast, kTypeIpv4, echo4);
                   })});
  cases.push_back({Drop::kMartian, "to 127.0.0.1",
                   to_relay(echo_request(kStranger4.addr, addr("127.0.0.1"), {}))});
  add_query_cases(cases);
  cases.push_back({Drop::kUnknownService, "TCP",
                   to_relay(ip(kStranger4.addr, kRelay4.addr, kTcp, pattern(40)))});
  cases.push_back({Drop::kUnknownService, "another UDP port",
                   to_relay(udp(kStranger4, {kRelay4.addr, 53}, pattern(40)))});
  cases.push_back({Drop::kUnknownService, "router advertisement",
                   to_relay(icmp(kStranger6.addr, kRelay6.addr, 134, pattern(16), 255))});
}

void add_message_cases(std::vector<DropCase>& cases) {
  const Bytes hello = udp(kStranger4, kRelay4, message(4, 100));
  cases.push_back({Drop::kBadUdpLength, "no UDP header",
                   to_relay(ip(kStranger4.addr, kRelay4.addr, kUdp, pattern(7)))});
  cases.push_back(
      {Drop::kBadUdpLength, "longer than the packet", to_relay(hello, [](Bytes& p) { ++p[25]; })});
  cases.push_back(
      {Drop::kBadUdpLength, "less than its header", to_relay(hello, [](Bytes& p) { p[25] = 7; })});
  const std::pair<uint8_t, size_t> unknown[] = {{9, 100}, {0, 148}, {4, 31}, {1, 147}, {1, 149},
                                                {2, 91},  {2, 93},  {3, 63}, {3, 65},  {4, 16}};
  for (const auto& [type, bytes] : unknown) {
    cases.push_back({Drop::kUnknownMessage, std::to_string(type) + " of " + std::to_string(bytes),
                     to_relay(udp(kStranger4, kRelay4, message(type, bytes)))});
  }
  cases.push_back(
      {Drop::kUnknownMessage, "3 bytes", to_relay(udp(kStranger4, kRelay4, {4, 0, 0}))});
  cases.push_back({Drop::kUnknownMessage, "reserved bytes set",
                   to_relay(udp(kStranger6, kRelay6, Bytes{4, 1} + pattern(62)))});
  cases.push_back(
      {Drop::kBadMac1, "initiation", to_relay(udp(kStranger4, kRelay4, message(1, 148)))});
  cases.push_back({Drop::kBadMac1, "response", frame([](DataPath& d) {
                     Bytes response = message(2, 92);
                     crypto::store_le32(&response[8], d.sessions->reserve(0, 0).value());
                     return to_relay_frame(d, udp(kStranger6, kRelay6, response));
                   })});
  cases.push_back({Drop::kWrongRole, "WireGuard by an egress port", [](DataPath& d) {
                     d.port(0).takes_tunnels = false;
                     Client c = d.add_client();
                     d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     d.poll();
                   }});
  cases.push_back({Drop::kWrongRole, "plain traffic by a tunnel port", [](DataPath& d) {
                     d.port(1).takes_plain = false;
                     const Client c = d.add_client();
                     d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, {})));
                     d.poll();
                   }});
  for (const char* source : {"a peer", "the tunnel address", "a port address"}) {
    for (const bool v6 : {false, true}) {
      cases.push_back(
          {Drop::kSpoofedSource, std::string(source) + (v6 ? ", IPv6" : ""),
           [source = std::string(source), v6](DataPath& d) {
             const Client to = d.add_client(), other = d.add_client();
             IpAddr from = v6 ? other.inner6 : other.inner4;
             if (source[0] == 't') from = addr(v6 ? "fd00::1" : "10.0.0.1");
             if (source == "a port address") from = (v6 ? kRelay6 : kRelay4).addr;
             d.feed(1, d.from_gateway(udp({from, 1}, {v6 ? to.inner6 : to.inner4, 1}, {})));
             d.poll();
           }});
    }
  }
  add_unasked_cases(cases);
  add_flood_cases(cases);
  add_checksum_cases(cases);
  cases.push_back({Drop::kNotForwarded, "plain traffic to the default route",
                   to_relay(udp(kStranger4, kServer, pattern(40)))});
  cases.push_back({Drop::kNotForwarded, "plain traffic to a connected network",
                   to_relay(udp(kStranger4, {addr("198.51.100.7"), 7}, pattern(40)))});
  cases.push_back({Drop::kNotForwarded, "plain traffic without a route", [](DataPath& d) {
                     d.prefixes->remove(prefix("::/0"));
                     to_relay(udp(kStranger6, {kServer6, 7}, pattern(40)))(d);
                   }});
}

}  // namespace wirelay::test
