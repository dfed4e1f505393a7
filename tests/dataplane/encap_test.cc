// Protects: padding, headers and lengths of what we send (WireGuard paper, section 5.4.6), within
// the buffer's own room and the tunnel's MTU. The control thread sends keepalives by it as well.
#include "dataplane/encap.h"

#include <algorithm>
#include <memory>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

using namespace wirelay::test;

class EncapTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EncapTest);
  CPPUNIT_TEST(a_keepalive_is_headers_and_tag);
  CPPUNIT_TEST(padding_ends_at_the_tunnel_s_mtu);
  CPPUNIT_TEST(a_full_packet_is_no_larger_for_its_padding);
  CPPUNIT_TEST(buffers_without_room_are_refused);
  CPPUNIT_TEST(every_packet_has_a_checksum);
  CPPUNIT_TEST(checksum_is_left_to_the_nic_that_offers_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_keepalive_is_headers_and_tag() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(v6);
      const Bytes packet = encapsulated(d, c, {}, 1500);
      CPPUNIT_ASSERT_EQUAL(size_t{v6 ? 80u : 60u}, packet.size());
      CPPUNIT_ASSERT_EQUAL(uint64_t{77}, crypto::load_le64(&packet[packet.size() - 24]));
    }
  }

  /// The padded packet is the least multiple of 16 that holds it, or what the tunnel takes that
  /// clients are told of, or the packet alone.
  void padding_ends_at_the_tunnel_s_mtu() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(v6);
      const size_t headers = v6 ? 80 : 60;
      for (uint16_t mtu = 1380; mtu < 1400; ++mtu) {
        const size_t most = mtu - headers, told = mtu - 80u;
        for (size_t bytes = told - 20; bytes <= most; ++bytes) {
          const size_t padded = std::min((bytes + 15) / 16 * 16, std::max(bytes, told));
          CPPUNIT_ASSERT_EQUAL(headers + padded, encapsulated(d, c, pattern(bytes), mtu).size());
        }
        rte_mbuf* mbuf = d.make_mbuf(pattern(most + 1));
        CPPUNIT_ASSERT(encapsulation_fits(mbuf, path(d, c, mtu)) == Drop::kTooBig);
        rte_pktmbuf_free(mbuf);
      }
    }
  }

  /// A path of 1,480, as by PPPoE or a tunnel over IPv6, takes all that a client with the usual
  /// file may be sent.
  void a_full_packet_is_no_larger_for_its_padding() {
    DataPath d;
    const Client c = d.add_client();
    for (size_t bytes = 1409; bytes <= 1420; ++bytes) {
      CPPUNIT_ASSERT(encapsulated(d, c, pattern(bytes), 1500).size() <= 1480);
    }
  }

  void buffers_without_room_are_refused() {
    DataPath d;
    const Client c = d.add_client(true);
    const PeerPath p = path(d, c, 9000);
    rte_mbuf* mbuf = d.make_mbuf({});
    mbuf->data_off = 14 + 48 + 16;
    CPPUNIT_ASSERT(encapsulation_fits(mbuf, p) == Drop::kNone);
    --mbuf->data_off;
    CPPUNIT_ASSERT(encapsulation_fits(mbuf, p) == Drop::kNoHeadroom);
    mbuf->data_off = RTE_PKTMBUF_HEADROOM;
    mbuf->data_len = static_cast<uint16_t>(rte_pktmbuf_tailroom(mbuf) - 17);
    mbuf->pkt_len = mbuf->data_len;
    const uint32_t padding = (16 - mbuf->data_len % 16) % 16;
    CPPUNIT_ASSERT((encapsulation_fits(mbuf, p) == Drop::kNone) == (padding <= 1));
    mbuf->data_len = static_cast<uint16_t>(mbuf->data_len + 2);
    CPPUNIT_ASSERT(encapsulation_fits(mbuf, p) == Drop::kNoHeadroom);
    rte_pktmbuf_free(mbuf);
  }

  /// Translators to IPv6 drop a datagram without one, and NAT64 is a translator.
  void every_packet_has_a_checksum() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(v6);
      for (size_t bytes = 0; bytes < 100; ++bytes) {
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(bytes))));
      }
      d.poll();
      const auto out = d.sent(0);
      CPPUNIT_ASSERT_EQUAL(size_t{100}, out.size());
      for (const Bytes& frame : out) {
        const Parsed outer = parse_ip_packet(parse_frame(frame).payload);
        CPPUNIT_ASSERT(outer.valid && outer.udp_checksum);
      }
    }
  }

  void checksum_is_left_to_the_nic_that_offers_it() {
    for (const bool v6 : {false, true}) {
      DataPath d;
      const Client c = d.add_client(v6);
      d.port(0).udp_checksum_offload = true;
      d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(7))));
      d.poll();
      const auto out = d.sent_mbufs(0);
      CPPUNIT_ASSERT_EQUAL(size_t{1}, out.size());
      constexpr uint64_t kAll =
          RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK;
      const uint64_t wanted =
          RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
      CPPUNIT_ASSERT_EQUAL(wanted, out[0]->ol_flags & kAll);
      CPPUNIT_ASSERT_EQUAL(uint64_t{14}, uint64_t{out[0]->l2_len});
      CPPUNIT_ASSERT_EQUAL(uint64_t{v6 ? 40u : 20u}, uint64_t{out[0]->l3_len});
      // The NIC finds the sum of the pseudo header and adds the rest to it.
      const Bytes packet = parse_frame(bytes_of(out[0])).payload;
      CPPUNIT_ASSERT(!parse_ip_packet(packet).valid);
      const uint8_t* at = &packet[v6 ? 40 : 20];
      const uint16_t whole = rte_raw_cksum(at, packet.size() - (v6 ? 40 : 20));
      const Bytes by_nic = with_udp_checksum(packet, v6, static_cast<uint16_t>(~whole));
      CPPUNIT_ASSERT(parse_ip_packet(by_nic).valid);
      rte_pktmbuf_free(out[0]);
    }
  }

 private:
  static Bytes with_udp_checksum(Bytes packet, bool v6, uint16_t checksum) {
    std::memcpy(&packet[(v6 ? 40 : 20) + 6], &checksum, sizeof checksum);
    return packet;
  }
  static PeerPath path(DataPath& d, const Client& c, uint16_t mtu) {
    const bool v6 = !c.endpoint.addr.is_v4();
    return make_path(d.relay_endpoint(v6), c.endpoint, d.ports[0]->id(), DataPath::kOutside, mtu);
  }

  /// The outer packet around `inner`, not sealed.
  static Bytes encapsulated(DataPath& d, const Client& c, const Bytes& inner, uint16_t mtu) {
    const PeerPath p = path(d, c, mtu);
    rte_mbuf* mbuf = d.make_mbuf(inner);
    CPPUNIT_ASSERT(encapsulation_fits(mbuf, p) == Drop::kNone);
    crypto::AeadPacket text{};
    encapsulate(mbuf, d.session(c), p, 77, text);
    CPPUNIT_ASSERT_EQUAL(uint64_t{77}, text.counter);
    CPPUNIT_ASSERT(std::equal(inner.begin(), inner.end(), text.text));
    finish_encapsulation(mbuf, p, d.port(0));
    const Bytes out = bytes_of(mbuf);
    CPPUNIT_ASSERT_EQUAL(out.data() + out.size() - 16 - text.length - out.data(),
                         text.text - rte_pktmbuf_mtod(mbuf, uint8_t*));
    rte_pktmbuf_free(mbuf);
    const Parsed outer = parse_ip_packet(out);
    CPPUNIT_ASSERT(outer.valid && outer.to == c.endpoint.addr && outer.to_port == c.endpoint.port);
    CPPUNIT_ASSERT_EQUAL(c.keys.remote_index, crypto::load_le32(&outer.payload[4]));
    return out;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EncapTest);

}  // namespace wirelay::dataplane
