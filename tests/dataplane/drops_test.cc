// Protects: every way to lose a packet has a name, and every name a way. Each case provokes one
// drop, and that drop alone; a drop of the list that no case provokes fails the test, and so does a
// buffer that does not come back.
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "dataplane/pipeline.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const IpAddr kServer4 = addr("203.0.113.9");
const IpAddr kServer6 = addr("2001:db8:99::9");
const Endpoint kServer{kServer4, 7000};
const Mac kAllNodes = {0x33, 0x33, 0, 0, 0, 1};

struct Case {
  Drop drop;
  std::string what;
  std::function<void(DataPath&)> provoke;
  DataPathOptions options = {};
};

/// Feeds one frame to port 0 and lets it run.
auto frame(std::function<Bytes(DataPath&)> make) {
  return [make](DataPath& d) {
    d.feed(0, make(d));
    d.poll();
  };
}

/// One frame for the relay itself: an IP packet, changed.
auto to_relay(Bytes packet, std::function<void(Bytes&)> change = {}) {
  if (change) change(packet);
  return frame([packet](DataPath& d) {
    const bool v6 = packet[0] >> 4 == 6;
    return ethernet(d.mac(0), DataPath::kPeerMac, v6 ? kTypeIpv6 : kTypeIpv4, packet);
  });
}

/// One packet that a client sends through its tunnel.
auto tunnelled(std::function<Bytes(const Client&)> make) {
  return frame([make](DataPath& d) {
    Client c = d.add_client();
    return d.tunnelled(c, make(c));
  });
}

const Endpoint kStranger4{addr("192.0.2.77"), 1234}, kRelay4{addr("192.0.2.1"), 51820};
const Endpoint kStranger6{addr("2001:db8:1::77"), 1234}, kRelay6{addr("2001:db8:1::1"), 51820};

Bytes message(uint8_t type, size_t bytes) {
  Bytes m(bytes);
  m[0] = type;
  return m;
}

Bytes checksummed(Bytes packet, size_t at, uint8_t value) {
  packet[at] = value;
  fix_ipv4_checksum(packet);
  return packet;
}

void add_ingress(std::vector<Case>& cases) {
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
  cases.push_back({Drop::kUnknownEtherType, "a VLAN tag", raw(0x8100, pattern(60))});
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
  cases.push_back({Drop::kFragment, "first", to_relay(checksummed(hello, 6, 0x20))});
  cases.push_back({Drop::kFragment, "later", to_relay(checksummed(hello, 7, 1))});
  cases.push_back(
      {Drop::kFragment, "IPv6", to_relay(ip(kStranger6.addr, kRelay6.addr, 44, pattern(60)))});
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
  cases.push_back({Drop::kUnknownService, "TCP",
                   to_relay(ip(kStranger4.addr, kRelay4.addr, kTcp, pattern(40)))});
  cases.push_back({Drop::kUnknownService, "another UDP port",
                   to_relay(udp(kStranger4, {kRelay4.addr, 53}, pattern(40)))});
  cases.push_back({Drop::kUnknownService, "router advertisement",
                   to_relay(icmp(kStranger6.addr, kRelay6.addr, 134, pattern(16), 255))});
}

void add_messages(std::vector<Case>& cases) {
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
  cases.push_back({Drop::kBadMac1, "response", to_relay(udp(kStranger6, kRelay6, message(2, 92)))});
  cases.push_back({Drop::kNotForwarded, "plain traffic to the default route",
                   to_relay(udp(kStranger4, kServer, pattern(40)))});
  cases.push_back({Drop::kNotForwarded, "plain traffic to a connected network",
                   to_relay(udp(kStranger4, {addr("198.51.100.7"), 7}, pattern(40)))});
  cases.push_back({Drop::kNotForwarded, "plain traffic without a route", [](DataPath& d) {
                     d.prefixes->remove(prefix("::/0"));
                     to_relay(udp(kStranger6, {kServer6, 7}, pattern(40)))(d);
                   }});
}

void add_inbound(std::vector<Case>& cases) {
  cases.push_back({Drop::kUnknownSession, "no such index", frame([](DataPath& d) {
                     Client c = d.add_client();
                     Bytes m = d.seal(c, pattern(40));
                     m[7] ^= 0x80;
                     return d.from_client(c, m);
                   })});
  cases.push_back(
      {Drop::kUnknownSession, "index zero", to_relay(udp(kStranger4, kRelay4, message(4, 64)))});
  cases.push_back({Drop::kUnknownSession, "retired", frame([](DataPath& d) {
                     Client c = d.add_client();
                     d.sessions->retire(c.index);
                     return d.tunnelled(c, pattern(40));
                   })});
  cases.push_back({Drop::kExpiredSession, "180 s old", frame([](DataPath& d) {
                     Client c = d.add_client();
                     d.now += 180 * DataPath::kHz;
                     return d.tunnelled(c, udp({c.inner4, 1}, kServer, {}));
                   })});
  cases.push_back({Drop::kExpiredSession, "too many messages", frame([](DataPath& d) {
                     Client c = d.add_client();
                     c.counter = crypto::kRejectAfterMessages;
                     return d.tunnelled(c, udp({c.inner4, 1}, kServer, {}));
                   })});
  cases.push_back({Drop::kBadTag, "a bit of the tag", frame([](DataPath& d) {
                     Client c = d.add_client();
                     Bytes m = d.seal(c, pattern(40));
                     m.back() ^= 1;
                     return d.from_client(c, m);
                   })});
  cases.push_back({Drop::kBadTag, "a bit of the counter", frame([](DataPath& d) {
                     Client c = d.add_client();
                     Bytes m = d.seal(c, pattern(40));
                     m[8] ^= 1;
                     return d.from_client(c, m);
                   })});
  cases.push_back({Drop::kReplayed, "behind the window", [](DataPath& d) {
                     Client c = d.add_client();
                     c.counter = 5000;
                     d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     c.counter = 1;
                     d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     d.poll();
                   }});
  cases.push_back({Drop::kReplayed, "the same twice", [](DataPath& d) {
                     Client c = d.add_client();
                     const Bytes f = d.tunnelled(c, udp({c.inner6, 1}, {kServer6, 2}, {}));
                     d.feed(0, f);
                     d.feed(0, f);
                     d.poll();
                   }});
  cases.push_back({Drop::kKeepalive, "empty", tunnelled([](const Client&) { return Bytes{}; })});
  cases.push_back({Drop::kBadInnerPacket, "version 5",
                   tunnelled([](const Client&) { return Bytes(32, 0x55); })});
  cases.push_back({Drop::kBadInnerPacket, "16 bytes of IPv4",
                   tunnelled([](const Client&) { return Bytes(16, 0x45); })});
  cases.push_back({Drop::kBadInnerPacket, "32 bytes of IPv6",
                   tunnelled([](const Client&) { return Bytes(32, 0x60); })});
  cases.push_back({Drop::kBadInnerPacket, "longer than the text", tunnelled([](const Client& c) {
                     Bytes p = udp({c.inner4, 1}, kServer, pattern(20));
                     p[2] = 1;
                     fix_ipv4_checksum(p);
                     return p;
                   })});
  cases.push_back(
      {Drop::kBadInnerPacket, "IPv6 longer than the text", tunnelled([](const Client& c) {
         Bytes p = udp({c.inner6, 1}, {kServer6, 2}, pattern(16));
         ++p[5];
         return p;
       })});
  cases.push_back({Drop::kBadInnerPacket, "shorter than its header", tunnelled([](const Client& c) {
                     return checksummed(udp({c.inner4, 1}, kServer, pattern(20)), 3, 19);
                   })});
  cases.push_back({Drop::kBadInnerPacket, "header checksum", tunnelled([](const Client& c) {
                     Bytes p = udp({c.inner4, 1}, kServer, pattern(20));
                     p[11] ^= 1;
                     return p;
                   })});
  cases.push_back({Drop::kMartian, "inner loopback source", tunnelled([](const Client&) {
                     return udp({addr("127.0.0.1"), 1}, kServer, {});
                   })});
  cases.push_back({Drop::kMartian, "inner mapped destination", tunnelled([](const Client& c) {
                     Bytes p = udp({c.inner6, 1}, {kServer6, 2}, {});
                     std::memcpy(&p[24], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
                     return p;
                   })});
  cases.push_back({Drop::kSourceNotAllowed, "another's address", tunnelled([](const Client&) {
                     return udp({addr("10.0.9.9"), 1}, kServer, {});
                   })});
  cases.push_back({Drop::kSourceNotAllowed, "another's address, IPv6", tunnelled([](const Client&) {
                     return udp({addr("fd00::9:9"), 1}, {kServer6, 2}, {});
                   })});
}

void add_limits(std::vector<Case>& cases) {
  const DirectionLimits slow_bits{.bits_per_second = 8000};
  const DirectionLimits slow_packets{.packets_per_second = 10};
  const auto up = [](DirectionLimits limits, size_t bytes) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      d.limit(c, {.up = limits, .down = {}});
      for (int i = 0; i < 60; ++i)
        d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(bytes))));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(d.all_drops(), d.shared->users[c.user].dropped_up.load());
    };
  };
  const auto down = [](DirectionLimits limits, size_t bytes) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      d.limit(c, {.up = {}, .down = limits});
      for (int i = 0; i < 60; ++i)
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(bytes))));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(d.all_drops(), d.shared->users[c.user].dropped_down.load());
    };
  };
  cases.push_back({Drop::kRateUp, "bits from the user", up(slow_bits, 1200)});
  cases.push_back({Drop::kPacketRateUp, "packets from the user", up(slow_packets, 10)});
  cases.push_back({Drop::kRateDown, "bits to the user", down(slow_bits, 1200)});
  cases.push_back({Drop::kPacketRateDown, "packets to the user", down(slow_packets, 10)});
}

void add_forwarding(std::vector<Case>& cases) {
  cases.push_back({Drop::kNoRoute, "no default route", frame([](DataPath& d) {
                     d.prefixes->remove(prefix("0.0.0.0/0"));
                     Client c = d.add_client();
                     return d.tunnelled(c, udp({c.inner4, 1}, kServer, {}));
                   })});
  cases.push_back({Drop::kTtlExpired, "to the network", tunnelled([](const Client& c) {
                     return udp({c.inner4, 1}, kServer, {}, 1);
                   })});
  cases.push_back({Drop::kTtlExpired, "to the network, IPv6", tunnelled([](const Client& c) {
                     return udp({c.inner6, 1}, {kServer6, 2}, {}, 0);
                   })});
  cases.push_back({Drop::kTtlExpired, "to a peer", [](DataPath& d) {
                     const Client c = d.add_client();
                     d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, {}, 1)));
                     d.poll();
                   }});
  cases.push_back({Drop::kNotForUs, "a peer's multicast", tunnelled([](const Client& c) {
                     return udp({c.inner4, 1}, {addr("239.1.1.1"), 2}, {});
                   })});
  cases.push_back(
      {Drop::kNotForUs, "a peer's link-local destination", tunnelled([](const Client& c) {
         return udp({c.inner6, 1}, {addr("fe80::7"), 2}, {});
       })});
  cases.push_back({Drop::kUnknownLocal, "UDP to the tunnel address", tunnelled([](const Client& c) {
                     return udp({c.inner4, 1}, {addr("10.0.0.1"), 53}, {});
                   })});
  cases.push_back(
      {Drop::kUnknownLocal, "echo reply to the tunnel address",
       tunnelled([](const Client& c) { return icmp(c.inner4, addr("10.0.0.1"), 0, {}); })});
  cases.push_back(
      {Drop::kUnknownLocal, "fragment of an echo request", tunnelled([](const Client& c) {
         return checksummed(echo_request(c.inner4, addr("10.0.0.1"), pattern(8)), 6, 0x20);
       })});
  cases.push_back(
      {Drop::kUnknownLocal, "TCP to the tunnel address, IPv6", tunnelled([](const Client& c) {
         return ip(c.inner6, addr("fd00::1"), kTcp, pattern(20));
       })});
  cases.push_back({Drop::kTooBig, "for the port", tunnelled([](const Client& c) {
                     return udp({c.inner4, 1}, kServer, pattern(1473));
                   })});
}

void add_outbound(std::vector<Case>& cases) {
  const auto to_client = [](std::function<void(DataPath&, Client&)> change, size_t bytes = 40,
                            int count = 1) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      change(d, c);
      for (int i = 0; i < count; ++i)
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(bytes))));
      d.poll();
    };
  };
  cases.push_back({Drop::kNoEndpoint, "path unknown",
                   to_client([](DataPath& d, Client& c) { d.peers->set_path(c.peer, nullptr); })});
  cases.push_back(
      {Drop::kNoSession, "no session, and no more may wait",
       to_client([](DataPath& d, Client& c) { d.peers->set_current(c.peer, 0); }, 40, 200)});
  cases.push_back({Drop::kNoSession, "session expired, and no more may wait",
                   to_client([](DataPath& d, Client&) { d.now += 180 * DataPath::kHz; }, 40, 200)});
  cases.push_back(
      {Drop::kNoSession, "counter used up, and no more may wait",
       to_client(
           [](DataPath& d, Client& c) { d.session(c).send_counter = crypto::kRejectAfterMessages; },
           40, 200)});
  cases.push_back({Drop::kTooBig, "for the path", to_client([](DataPath&, Client&) {}, 1441 - 28)});
  cases.push_back({Drop::kNoHeadroom, "no room in front", [](DataPath& d) {
                     const Client c = d.add_client();
                     const Bytes f = d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(40)));
                     rte_mbuf* mbuf = d.make_mbuf(Bytes(1));
                     mbuf->data_off = 0;
                     mbuf->data_len = static_cast<uint16_t>(f.size());
                     mbuf->pkt_len = mbuf->data_len;
                     std::memcpy(rte_pktmbuf_mtod(mbuf, void*), f.data(), f.size());
                     d.ports[1]->feed(mbuf);
                     d.poll();
                   }});
  cases.push_back(
      {Drop::kNeighbourUnresolved, "gateway unresolved, and no more may wait", [](DataPath& d) {
         Client c = d.add_client();
         d.shared->adjacencies[DataPath::kGateway].mac_word = 0;
         for (int i = 0; i < 200; ++i) d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
         d.poll();
       }});
}

void add_rings(std::vector<Case>& cases) {
  DataPathOptions small, two;
  small.sizes.punt_ring = 64;
  small.port_ring = 64;
  two.workers = two.queues = 2;
  two.sizes.handoff_ring = 64;
  cases.push_back({Drop::kPuntFull, "nobody takes the punts",
                   [](DataPath& d) {
                     for (int i = 0; i < 100; ++i) {
                       d.feed(0,
                              ethernet(kBroadcast, DataPath::kPeerMac, kTypeArp,
                                       arp(1, DataPath::kPeerMac, kStranger4.addr, kRelay4.addr)),
                              0);
                       if (i % 50 == 49) d.poll();
                     }
                   },
                   small});
  cases.push_back({Drop::kHandoffFull, "the owner is not there",
                   [](DataPath& d) {
                     Client c = d.add_client(false, 1);
                     for (int i = 0; i < 100; ++i)
                       d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     while (d.workers[0]->poll(d.now) != 0) {
                     }
                     d.poll();
                   },
                   two});
  cases.push_back({Drop::kTransmitFull, "the queue is not emptied",
                   [](DataPath& d) {
                     Client c = d.add_client();
                     for (int i = 0; i < 100; ++i) {
                       d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                       d.poll();
                     }
                   },
                   small});
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_ingress(cases);
  add_messages(cases);
  add_inbound(cases);
  add_limits(cases);
  add_forwarding(cases);
  add_outbound(cases);
  add_rings(cases);
  return cases;
}

void check(const Case& c) {
  DataPath d(c.options);
  c.provoke(d);
  const std::string seen =
      std::string(drop_info(c.drop).name) + ", " + c.what + ": " + d.drop_text();
  CPPUNIT_ASSERT_MESSAGE(seen, d.drops(c.drop) >= 1);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(seen, d.drops(c.drop), d.all_drops());
  d.sent(0);
  d.sent(1);
  d.discard_punts();
  CPPUNIT_ASSERT_EQUAL_MESSAGE(seen, 0u, d.mbufs_in_use());
}

}  // namespace

class DropsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DropsTest);
  CPPUNIT_TEST(every_case_is_counted_under_its_name_alone);
  CPPUNIT_TEST(every_drop_has_a_case);
  CPPUNIT_TEST(names_are_distinct_and_explained);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_case_is_counted_under_its_name_alone() {
    for (const Case& c : all_cases()) check(c);
  }

  void every_drop_has_a_case() {
    std::set<Drop> provoked;
    for (const Case& c : all_cases()) provoked.insert(c.drop);
    for (size_t d = 0; d < kDropCount; ++d) {
      CPPUNIT_ASSERT_MESSAGE(std::string(kDrops[d].name),
                             provoked.count(static_cast<Drop>(d)) == 1);
    }
  }

  void names_are_distinct_and_explained() {
    std::set<std::string_view> names;
    for (const DropInfo& info : kDrops) {
      CPPUNIT_ASSERT(!info.name.empty() && !info.text.empty());
      CPPUNIT_ASSERT_MESSAGE(std::string(info.name), names.insert(info.name).second);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DropsTest);

}  // namespace wirelay::dataplane
