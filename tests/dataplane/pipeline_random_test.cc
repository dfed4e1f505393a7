// Protects: packets of any bytes and any length do no harm. Each is forwarded, punted, or dropped
// under a name, none is lost, and every buffer comes back. Run under the sanitizers as well.
#include <random>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "dataplane/pipeline.h"
#include "tests/support/data_path.h"
#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr uint32_t kSeed = 20240229;
constexpr size_t kLongest = 2000;

/// Packets of more and more plausible kinds, from a fixed seed.
class Source {
 public:
  explicit Source(DataPath& d) : d_(d), a_(d.add_client()), b_(d.add_client(true)) {
    crypto::PublicKey self{};
    d.shared->mac1_key = crypto::mac1_key(self);
  }

  Bytes noise() { return bytes(below(kLongest + 1)); }

  /// A frame for the relay with an IP type, and then anything.
  Bytes addressed_noise() {
    const uint16_t types[] = {kTypeIpv4, kTypeIpv6, kTypeArp};
    return ethernet(d_.mac(below(2)), DataPath::kPeerMac, types[below(3)],
                    bytes(below(kLongest - 13)));
  }

  /// A datagram on the WireGuard port with anything in it, after a plausible type.
  Bytes message() {
    Bytes m = bytes(below(300));
    if (m.size() >= 4) crypto::store_le32(m.data(), below(6));
    if (m.size() >= 8 && below(2) == 0) crypto::store_le32(&m[4], a_.index);
    return d_.from_client(below(2) == 0 ? a_ : b_, m);
  }

  /// An authentic message around anything.
  Bytes authentic() {
    Client& c = below(2) == 0 ? a_ : b_;
    Bytes inner = bytes(below(1400));
    if (!inner.empty() && below(4) != 0) inner[0] = below(2) == 0 ? 0x45 : 0x60;
    return d_.tunnelled(c, inner);
  }

  /// A good packet with some of its bytes changed, or its end cut off.
  Bytes mutated() {
    Bytes frame = good();
    for (uint32_t n = below(4); n != 0; --n)
      frame[below(static_cast<uint32_t>(frame.size()))] = byte();
    if (below(4) == 0) frame.resize(below(static_cast<uint32_t>(frame.size() + 1)));
    return frame;
  }

  /// An authentic message around a good packet with some of its bytes changed.
  Bytes mutated_inside() {
    Client& c = below(2) == 0 ? a_ : b_;
    Bytes inner = good_inner(c);
    for (uint32_t n = below(4); n != 0; --n)
      inner[below(static_cast<uint32_t>(inner.size()))] = byte();
    if (inner[0] >> 4 == 4 && inner.size() >= 60 && below(2) == 0) fix_ipv4_checksum(inner);
    return d_.tunnelled(c, inner);
  }

  Bytes any() {
    switch (below(6)) {
      case 0:
        return noise();
      case 1:
        return addressed_noise();
      case 2:
        return message();
      case 3:
        return authentic();
      case 4:
        return mutated();
      default:
        return mutated_inside();
    }
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

 private:
  uint8_t byte() { return static_cast<uint8_t>(random_()); }
  Bytes bytes(uint32_t count) {
    Bytes out(count);
    for (uint8_t& b : out) b = byte();
    return out;
  }

  Bytes good_inner(const Client& c) {
    const Client& other = &c == &a_ ? b_ : a_;
    switch (below(5)) {
      case 0:
        return udp({c.inner4, 1}, {addr("203.0.113.9"), 2}, bytes(32 + below(900)));
      case 1:
        return udp({c.inner6, 1}, {addr("2001:db8:99::9"), 2}, bytes(32 + below(900)));
      case 2:
        return udp({c.inner4, 1}, d_.nat ? public_end() : Endpoint{other.inner4, 2},
                   bytes(32 + below(900)));
      case 3:
        return echo_request(c.inner4, addr("10.0.0.1"), bytes(40));
      default:
        return echo_request(c.inner6, addr("fd00::1"), bytes(40));
    }
  }

  /// Of an address that users go out with: mostly one of a port that somebody has.
  Endpoint public_end() {
    const char* addresses[] = {"198.51.100.1", "198.51.100.64", "198.51.100.65", "198.51.100.99"};
    const uint16_t port = static_cast<uint16_t>(1024 + below(64));
    return {addr(addresses[below(4)]), below(8) == 0 ? uint16_t{80} : port};
  }

  Bytes good() {
    switch (below(5)) {
      case 0:
        return d_.from_gateway(udp({addr("203.0.113.9"), 1},
                                   d_.nat ? public_end() : Endpoint{a_.inner4, 2},
                                   bytes(below(900))));
      case 1:
        return d_.from_gateway(udp({addr("2001:db8:99::9"), 1}, {b_.inner6, 2}, bytes(below(900))));
      case 2:
        return d_.from_gateway(echo_request(addr("198.51.100.7"), addr("198.51.100.1"), bytes(40)));
      case 3: {
        const Bytes ask =
            neighbour(135, addr("2001:db8:1::77"), addr("2001:db8:1::1"), addr("2001:db8:1::1"));
        return ethernet(d_.mac(0), DataPath::kPeerMac, kTypeIpv6, ask);
      }
      default: {
        Client& c = below(2) == 0 ? a_ : b_;
        return d_.tunnelled(c, good_inner(c));
      }
    }
  }

  DataPath& d_;
  Client a_, b_;
  std::mt19937 random_{kSeed};
};

}  // namespace

class PipelineRandomTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PipelineRandomTest);
  CPPUNIT_TEST(any_bytes_of_any_length_are_accounted_for);
  CPPUNIT_TEST(and_with_addresses_that_are_translated);
  CPPUNIT_TEST_SUITE_END();

 public:
  void any_bytes_of_any_length_are_accounted_for() { run({}); }

  /// With those of a pool, the port's own, and rules.
  void and_with_addresses_that_are_translated() {
    for (const auto filtering :
         {NatFiltering::kEndpointIndependent, NatFiltering::kAddressAndPortDependent}) {
      NatSettings settings = nat_settings();
      settings.pools = {prefix("198.51.100.1"), prefix("198.51.100.64/31")};
      settings.filtering = filtering;
      settings.statics = {
          {.address = addr("198.51.100.64").v4_be(),
           .inside = addr("10.0.1.1").v4_be(),
           .protocol = kUdp,
           .port = 80,
           .inside_port = 8080},
          {.address = addr("198.51.100.99").v4_be(), .inside = addr("10.0.1.2").v4_be()}};
      DataPathOptions options;
      options.nat = settings;
      run(options);
    }
  }

 private:
  static void run(const DataPathOptions& options) {
    DataPath d(options);
    Source source(d);
    for (uint32_t user = 1; d.nat && user <= 2; ++user) d.nat->serve(user, 0);
    uint64_t fed = 0, left = 0, punted = 0;
    for (int round = 0; round < 5000; ++round) {
      const uint32_t burst = 1 + source.below(80);
      for (uint32_t i = 0; i < burst; ++i, ++fed) d.feed(source.below(2), source.any());
      d.now += DataPath::kHz / 1000;
      d.workers[0]->poll(d.now);
      d.workers[0]->poll(d.now);
      left += d.sent(0).size() + d.sent(1).size();
      punted += d.discard_punts();
      d.events();
    }
    d.poll();
    left += d.sent(0).size() + d.sent(1).size();
    punted += d.discard_punts();
    CPPUNIT_ASSERT(fed > 100'000);
    // Something of every kind must have happened, or the packets are not what they should be.
    CPPUNIT_ASSERT_MESSAGE(std::to_string(left) + " left", left > fed / 50);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(punted) + " punted", punted > 100);
    const WorkerCounters& counters = d.workers[0]->counters;
    uint64_t waiting = 0;
    for (Reassembler* parts : {&d.workers[0]->plain_parts, &d.workers[0]->tunnel_parts}) {
      parts->expire(d.now + DataPath::kHz);
      waiting += parts->take_lost();
    }
    CPPUNIT_ASSERT(counters.made.get() > 100);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), fed + counters.made.get(),
                                 left + punted + d.all_drops() + counters.joined.get() + waiting);
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PipelineRandomTest);

}  // namespace wirelay::dataplane
