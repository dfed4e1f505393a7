// Protects: the ways through the relay. Packets come out whole, at the right side, re-sealed where
// they must be, over IPv4 and IPv6 inside and outside, and in the very buffer they came in by.
#include "dataplane/pipeline.h"

#include <algorithm>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/cookie.h"
#include "crypto/wire.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const IpAddr kServer4 = addr("203.0.113.9"), kServer6 = addr("2001:db8:99::9");

/// The families of one run: inside the tunnel, and of the clients' endpoints.
struct Families {
  bool inner6, outer6;
  [[nodiscard]] IpAddr inner(const Client& c) const { return inner6 ? c.inner6 : c.inner4; }
  [[nodiscard]] IpAddr server() const { return inner6 ? kServer6 : kServer4; }
  [[nodiscard]] std::string text() const {
    return std::string(inner6 ? "IPv6" : "IPv4") + " over " + (outer6 ? "IPv6" : "IPv4");
  }
};
constexpr Families kAllFamilies[] = {{false, false}, {true, false}, {false, true}, {true, true}};

/// The one buffer that has left by a port, or null.
rte_mbuf* only_mbuf(DataPath& d, unsigned port) {
  const auto all = d.sent_mbufs(port);
  return all.size() == 1 ? all[0] : nullptr;
}

/// `packet` behind one more hop.
Bytes one_hop_on(Bytes packet) {
  --packet[packet[0] >> 4 == 4 ? 8 : 7];
  if (packet[0] >> 4 == 4) fix_ipv4_checksum(packet);
  return packet;
}

}  // namespace

class PipelineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PipelineTest);
  CPPUNIT_TEST(inbound_to_egress_in_the_same_buffer);
  CPPUNIT_TEST(egress_to_peer_in_the_same_buffer);
  CPPUNIT_TEST(peer_to_peer_in_the_same_buffer);
  CPPUNIT_TEST(every_size_passes_both_ways);
  CPPUNIT_TEST(stages_count_packets_batches_and_cycles);
  CPPUNIT_TEST(bursts_keep_their_order);
  CPPUNIT_TEST(no_flood_takes_the_ring_of_another);
  CPPUNIT_TEST_SUITE_END();

 public:
  void inbound_to_egress_in_the_same_buffer() {
    for (const Families& f : kAllFamilies) {
      DataPath d;
      Client c = d.add_client(f.outer6);
      const Bytes packet = udp({f.inner(c), 5000}, {f.server(), 53}, pattern(333));
      const rte_mbuf* in = d.feed(0, d.tunnelled(c, packet));
      d.poll();
      rte_mbuf* out = only_mbuf(d, 1);
      CPPUNIT_ASSERT_MESSAGE(f.text() + ": " + d.drop_text(), out != nullptr);
      CPPUNIT_ASSERT_MESSAGE(f.text(), in == out);
      const Frame frame = parse_frame(bytes_of(out));
      CPPUNIT_ASSERT(frame.to == DataPath::kGatewayMac && frame.from == d.mac(1));
      CPPUNIT_ASSERT_EQUAL(f.inner6 ? kTypeIpv6 : kTypeIpv4, frame.type);
      CPPUNIT_ASSERT(frame.payload == one_hop_on(packet));
      CPPUNIT_ASSERT(parse_ip_packet(frame.payload).valid);
      rte_pktmbuf_free(out);
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void egress_to_peer_in_the_same_buffer() {
    for (const Families& f : kAllFamilies) {
      DataPath d;
      const Client c = d.add_client(f.outer6);
      const Bytes packet = udp({f.server(), 53}, {f.inner(c), 5000}, pattern(333));
      const rte_mbuf* in = d.feed(1, d.from_gateway(packet));
      d.poll();
      rte_mbuf* out = only_mbuf(d, 0);
      CPPUNIT_ASSERT_MESSAGE(f.text() + ": " + d.drop_text(), out != nullptr);
      CPPUNIT_ASSERT_MESSAGE(f.text(), in == out);
      expect_sealed(d, c, bytes_of(out), one_hop_on(packet));
      rte_pktmbuf_free(out);
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  void peer_to_peer_in_the_same_buffer() {
    for (const Families& f : kAllFamilies) {
      DataPath d;
      Client from = d.add_client(f.outer6);
      const Client to = d.add_client(!f.outer6);
      const Bytes packet = udp({f.inner(from), 1}, {f.inner(to), 2}, pattern(333));
      const rte_mbuf* in = d.feed(0, d.tunnelled(from, packet));
      d.poll();
      rte_mbuf* out = only_mbuf(d, 0);
      CPPUNIT_ASSERT_MESSAGE(f.text() + ": " + d.drop_text(), out != nullptr);
      CPPUNIT_ASSERT_MESSAGE(f.text(), in == out);
      expect_sealed(d, to, bytes_of(out), one_hop_on(packet));
      rte_pktmbuf_free(out);
      CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
    }
  }

  /// All paddings, and the largest packet that the path takes (1,440 bytes over IPv4).
  void every_size_passes_both_ways() {
    DataPath d;
    Client c = d.add_client();
    for (size_t bytes = 0; bytes <= 1440 - 28; bytes += bytes < 64 || bytes > 1380 ? 1 : 97) {
      const Bytes up = udp({c.inner4, 1}, {kServer4, 2}, pattern(bytes));
      const Bytes down = udp({kServer4, 2}, {c.inner4, 1}, pattern(bytes, 9));
      d.feed(0, d.tunnelled(c, up));
      d.feed(1, d.from_gateway(down));
      d.poll();
      const auto at_gateway = d.sent(1), at_client = d.sent(0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, at_gateway.size());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, at_client.size());
      CPPUNIT_ASSERT(parse_frame(at_gateway[0]).payload == one_hop_on(up));
      expect_sealed(d, c, at_client[0], one_hop_on(down));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.all_drops());
  }

  void stages_count_packets_batches_and_cycles() {
    DataPath d;
    Client c = d.add_client();
    for (int i = 0; i < 100; ++i) d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {kServer4, 2}, {})));
    d.poll();
    for (size_t s = 0; s < kPipeline.size(); ++s) {
      const StageCounters& counted = d.workers[0]->counters.stages[s];
      const Lane lane = kPipeline[s].lane;
      const bool passed = lane == Lane::kIngress || lane == Lane::kInbound ||
                          lane == Lane::kForward || lane == Lane::kTransmit;
      const std::string name(kPipeline[s].name);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, uint64_t{passed ? 100u : 0u}, counted.packets.get());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, uint64_t{passed ? 2u : 0u}, counted.batches.get());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, passed, counted.cycles.get() != 0);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, d.workers[0]->counters.rx_packets.get());
    CPPUNIT_ASSERT_EQUAL(uint64_t{100}, d.workers[0]->counters.tx_packets.get());
  }

  /// Packets that are lost or turn off do not disturb those around them.
  void bursts_keep_their_order() {
    DataPath d;
    Client a = d.add_client(), b = d.add_client(true);
    for (uint8_t i = 0; i < 60; ++i) {
      Client& c = i % 2 == 0 ? a : b;
      Bytes message = d.seal(c, udp({c.inner4, i}, {kServer4, 2}, pattern(i)));
      if (i % 5 == 3) message.back() ^= 1;
      d.feed(0, d.from_client(c, message));
    }
    d.poll();
    const auto out = d.sent(1);
    CPPUNIT_ASSERT_EQUAL(size_t{48}, out.size());
    uint16_t expected = 0;
    for (const Bytes& frame : out) {
      if (expected % 5 == 3) ++expected;
      CPPUNIT_ASSERT_EQUAL(expected++, parse_ip_packet(parse_frame(frame).payload).from_port);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{12}, d.drops(Drop::kBadTag));
  }

  /// Each of three floods, and behind it one of what the others are about, and a known peer's
  /// initiation.
  void no_flood_takes_the_ring_of_another() {
    DataPathOptions options;
    options.sizes.punt_ring = 64;  // holds 63
    DataPath d(options);
    const Client c = d.add_client();
    const Client silent = d.add_client();
    d.peers->set_current(silent.peer, 0);
    d.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{});
    Bytes initiation(sizeof(crypto::MessageInitiation));
    initiation[0] = static_cast<uint8_t>(crypto::MessageType::kInitiation);
    crypto::MacWriter(crypto::PublicKey{}).write(initiation, 1);
    const Bytes handshake = d.from_client(c, initiation);
    const Client known = d.add_client();
    d.shared->known_sources.note(known.endpoint.addr, d.now);
    const Bytes renewal = d.from_client(known, initiation);
    const Bytes question =
        ethernet(kBroadcast, DataPath::kPeerMac, kTypeArp,
                 arp(1, DataPath::kPeerMac, addr("192.0.2.77"), d.relay_endpoint(false).addr));
    const Bytes packet = d.from_gateway(udp({kServer4, 1}, {silent.inner4, 2}, {}));
    const auto flood = [&](unsigned port, const Bytes& frame) {
      for (int i = 0; i < 1000; ++i) {
        d.feed(port, frame);
        d.poll();
      }
    };
    const std::pair<unsigned, Bytes> kinds[] = {{0, question}, {0, handshake}, {1, packet}};
    for (size_t flooded = 0; flooded < std::size(kinds); ++flooded) {
      d.now += DataPath::kHz;  // what is allowed in a part of a second is allowed again
      flood(kinds[flooded].first, kinds[flooded].second);
      const uint64_t lost = d.all_drops();
      d.feed(0, renewal);
      for (size_t other = 0; other < std::size(kinds); ++other) {
        if (other != flooded) d.feed(kinds[other].first, kinds[other].second);
      }
      d.poll();
      CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), lost, d.all_drops());
      d.discard_punts();
    }
  }

 private:
  /// The frame goes to the client, opens, and holds `inner` padded with zeros to 16 bytes at most.
  static void expect_sealed(DataPath& d, const Client& c, const Bytes& frame, Bytes inner) {
    const Frame f = parse_frame(frame);
    CPPUNIT_ASSERT(f.to == DataPath::kPeerMac && f.from == d.mac(0));
    const Parsed outer = parse_ip_packet(f.payload);
    const bool v6 = !c.endpoint.addr.is_v4();
    CPPUNIT_ASSERT(outer.valid);
    CPPUNIT_ASSERT(outer.from == d.relay_endpoint(v6).addr && outer.udp_checksum);
    const auto opened = d.open(c, frame);
    CPPUNIT_ASSERT(opened.has_value());
    constexpr size_t kTunnelMtu = 1420;
    inner.resize(std::min((inner.size() + 15) / 16 * 16, std::max(inner.size(), kTunnelMtu)));
    CPPUNIT_ASSERT(opened->packet == inner);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PipelineTest);

}  // namespace wirelay::dataplane
