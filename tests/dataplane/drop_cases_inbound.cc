// Drops of what comes through a tunnel: opening, policing, routing; see drop_cases.h.
#include <cstring>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/wire.h"
#include "tests/dataplane/drop_cases.h"

namespace wirelay::test {

using namespace dataplane;

void add_inbound_cases(std::vector<DropCase>& cases) {
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

void add_limit_cases(std::vector<DropCase>& cases) {
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

void add_quota_cases(std::vector<DropCase>& cases) {
  const auto up = [](const QuotaLimits& limits) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      d.give_quota(c, limits);
      for (int i = 0; i < 60; ++i)
        d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, pattern(1200))));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(d.all_drops(), d.shared->users[c.user].dropped_up.load());
    };
  };
  const auto down = [](const QuotaLimits& limits) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      d.give_quota(c, limits);
      for (int i = 0; i < 60; ++i)
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(1200))));
      d.poll();
      CPPUNIT_ASSERT_EQUAL(d.all_drops(), d.shared->users[c.user].dropped_down.load());
    };
  };
  const auto ended = [](bool from) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      d.shared->users.set_ended(c.user, true);
      if (from) d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
      if (!from) d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, {})));
      d.poll();
    };
  };
  using Counts = QuotaCounts;
  cases.push_back({Drop::kQuotaUp, "nothing left, from the user", up({9000, Counts::kUp})});
  cases.push_back({Drop::kQuotaDown, "nothing left, to the user", down({9000, Counts::kBoth})});
  cases.push_back({Drop::kThrottleUp, "throttled, from the user", up({1, Counts::kBoth, 8000})});
  cases.push_back({Drop::kThrottleDown, "throttled, to the user", down({1, Counts::kEach, 8000})});
  cases.push_back({Drop::kUserExpired, "from a user whose time is over", ended(true)});
  cases.push_back({Drop::kUserExpired, "to a user whose time is over", ended(false)});
}

void add_forward_cases(std::vector<DropCase>& cases) {
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
      {Drop::kLinkLocal, "a peer's link-local destination", tunnelled([](const Client& c) {
         return udp({c.inner6, 1}, {addr("fe80::7"), 2}, {});
       })});
  cases.push_back(
      {Drop::kLinkLocal, "a peer asks for a cloud's metadata", tunnelled([](const Client& c) {
         return udp({c.inner4, 1}, {addr("169.254.169.254"), 80}, {});
       })});
  cases.push_back({Drop::kLinkLocal, "from behind, for a peer's", [](DataPath& d) {
                     const Client c = d.add_client();
                     d.prefixes->set(prefix("169.254.7.7"),
                                     RouteTarget::make(RouteKind::kPeer, c.peer));
                     d.feed(1, d.from_gateway(udp(kServer, {addr("169.254.7.7"), 1}, {})));
                     d.poll();
                   }});
  cases.push_back({Drop::kUnknownLocal, "UDP to the tunnel address", tunnelled([](const Client& c) {
                     return udp({c.inner4, 1}, {addr("10.0.0.1"), 53}, {});
                   })});
  cases.push_back(
      {Drop::kUnknownLocal, "echo reply to the tunnel address",
       tunnelled([](const Client& c) { return icmp(c.inner4, addr("10.0.0.1"), 0, {}); })});
  cases.push_back(
      {Drop::kUnknownLocal, "TCP to the tunnel address, IPv6", tunnelled([](const Client& c) {
         return ip(c.inner6, addr("fd00::1"), kTcp, pattern(20));
       })});
  cases.push_back({Drop::kTooBig, "for the port", tunnelled([](const Client& c) {
                     return udp({c.inner6, 1}, {kServer6, 2}, pattern(1453));
                   })});
  cases.push_back({Drop::kEchoFlood, "pings", [](DataPath& d) {
                     Client c = d.add_client();
                     for (int i = 0; i < 65; ++i) {
                       d.feed(0, d.tunnelled(c, echo_request(c.inner4, addr("10.0.0.1"), {})));
                     }
                     d.poll();
                   }});
}

}  // namespace wirelay::test
