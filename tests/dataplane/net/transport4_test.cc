// Protects: an address and a port that change leave every checksum right, of TCP, UDP and pings of
// any content, and of errors and what they quote, however little of it; what has no port, or is
// damaged, is known as such.
#include "dataplane/net/transport4.h"

#include <random>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr uint32_t kSeedOfTransport = 4787;

const Endpoint kNew{addr("198.51.100.200"), 61234};

Bytes rewritten(Bytes packet, Side side, const Endpoint& to = kNew) {
  rewrite4(packet.data(), static_cast<uint32_t>(packet.size()), side, to.addr.v4_be(),
           __builtin_bswap16(to.port));
  return packet;
}

Transport4 kind(const Bytes& packet) {
  return transport_of(packet.data(), static_cast<uint32_t>(packet.size()));
}

}  // namespace

class Transport4Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Transport4Test);
  CPPUNIT_TEST(checksums_stay_right);
  CPPUNIT_TEST(a_sum_of_zero_is_written_as_ones);
  CPPUNIT_TEST(errors_change_on_both_levels);
  CPPUNIT_TEST(kinds);
  CPPUNIT_TEST_SUITE_END();

 public:
  void checksums_stay_right() {
    std::mt19937 random(kSeedOfTransport);
    for (int i = 0; i < 2000; ++i) {
      const Endpoint from{addr("10.0.1.1"), static_cast<uint16_t>(random())},
          to{addr("203.0.113.9"), static_cast<uint16_t>(random())};
      const uint32_t address = random();
      const Endpoint target{IpAddr::v4(&address), static_cast<uint16_t>(random())};
      const Bytes data = pattern(random() % 60, static_cast<uint8_t>(random()));
      for (const Bytes& packet :
           {udp(from, to, data), tcp(from, to, random(), random(), kAck, {}, data)}) {
        const Bytes source = rewritten(packet, Side::kSource, target);
        CPPUNIT_ASSERT(parse_ip_packet(source).valid);
        CPPUNIT_ASSERT((ends_of(source) == Ends{target, to}));
        const Bytes destination = rewritten(packet, Side::kDestination, target);
        CPPUNIT_ASSERT(parse_ip_packet(destination).valid);
        CPPUNIT_ASSERT((ends_of(destination) == Ends{from, target}));
        CPPUNIT_ASSERT(rewritten(source, Side::kSource, from) == packet);
      }
      const Bytes pinged = rewritten(ping(from.addr, to.addr, from.port), Side::kSource, target);
      CPPUNIT_ASSERT(parse_ip_packet(pinged).valid && ends_of(pinged).from == target);
    }
  }

  void a_sum_of_zero_is_written_as_ones() {
    unsigned ones = 0;
    for (uint32_t port = 0; port < 65536; ++port) {
      const Bytes packet = udp({addr("10.0.1.1"), 7}, kServer, {});
      const Bytes out = rewritten(packet, Side::kSource, {kNew.addr, static_cast<uint16_t>(port)});
      const Parsed p = parse_ip_packet(out);
      CPPUNIT_ASSERT(p.valid && p.udp_checksum);
      ones += out[26] == 0xff && out[27] == 0xff ? 1 : 0;
    }
    CPPUNIT_ASSERT(ones != 0);
  }

  void errors_change_on_both_levels() {
    const Endpoint ours{addr("198.51.100.65"), 2000};
    for (const Bytes& about : {udp(ours, kServer, pattern(30)), tcp(ours, kServer, 1, 2, kSyn),
                               ping(ours.addr, kServer.addr, ours.port)}) {
      for (const size_t bytes : {28u, 36u, 60u}) {
        Bytes error = icmp_error(addr("203.0.113.1"), ours.addr, 11, 0, about, bytes);
        CPPUNIT_ASSERT(kind(error) == Transport4::kError);
        rewrite_error4(error.data(), static_cast<uint32_t>(error.size()), Side::kDestination,
                       kNew.addr.v4_be(), __builtin_bswap16(kNew.port));
        const Parsed p = parse_ip_packet(error);
        CPPUNIT_ASSERT(p.valid && p.to == kNew.addr && p.from == addr("203.0.113.1"));
        Bytes expected = rewritten(about, Side::kSource);
        expected.resize(std::min(bytes, expected.size()));
        // Of what is cut off a checksum is not.
        CPPUNIT_ASSERT(quoted_in(error) == expected);
      }
    }
  }

  void kinds() {
    const IpAddr a = addr("10.0.1.1"), b = addr("203.0.113.9");
    CPPUNIT_ASSERT(kind(udp({a, 1}, {b, 2}, {})) == Transport4::kUdp);
    CPPUNIT_ASSERT(kind(tcp({a, 1}, {b, 2}, 1, 2, kSyn)) == Transport4::kTcp);
    CPPUNIT_ASSERT(kind(ping(a, b, 1)) == Transport4::kEchoRequest);
    CPPUNIT_ASSERT(kind(ping(a, b, 1, 0)) == Transport4::kEchoReply);
    CPPUNIT_ASSERT(kind(ping(a, b, 1, 13)) == Transport4::kOther);
    CPPUNIT_ASSERT(kind(ip(a, b, 50, pattern(40))) == Transport4::kOther);
    CPPUNIT_ASSERT(kind(ip(a, b, kUdp, pattern(7))) == Transport4::kDamaged);
    CPPUNIT_ASSERT(kind(ip(a, b, kTcp, pattern(19))) == Transport4::kDamaged);
    CPPUNIT_ASSERT(kind(ip(a, b, kIcmp, pattern(7))) == Transport4::kDamaged);
    const auto about = [&](const Bytes& packet) { return kind(icmp_error(b, a, 3, 1, packet)); };
    CPPUNIT_ASSERT(about(udp({a, 1}, {b, 2}, {})) == Transport4::kError);
    CPPUNIT_ASSERT(about(ip(a, b, 50, pattern(40))) == Transport4::kOther);
    CPPUNIT_ASSERT(about(ip(a, b, kUdp, pattern(7))) == Transport4::kOther);
    CPPUNIT_ASSERT(about(pattern(60)) == Transport4::kOther);
    CPPUNIT_ASSERT(about(icmp_error(a, b, 3, 1, udp({a, 1}, {b, 2}, {}))) == Transport4::kOther);
    Bytes later = udp({a, 1}, {b, 2}, pattern(40));
    later[7] = 9;
    CPPUNIT_ASSERT(about(later) == Transport4::kOther);
    CPPUNIT_ASSERT_MESSAGE(
        "redirects", kind(icmp_error(b, a, 5, 1, udp({a, 1}, {b, 2}, {}))) == Transport4::kOther);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Transport4Test);

}  // namespace wirelay::dataplane
