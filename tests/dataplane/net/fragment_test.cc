// Protects: fragments of a packet are none larger than asked for, have right headers, and together
// are the packet, in either family, at any size; a fragment may be cut again; and options go where
// they belong.
#include "dataplane/net/fragment.h"

#include <map>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

struct Parts {
  std::vector<Bytes> packets;
  explicit Parts(DataPath& d, const Bytes& packet, uint16_t mtu) {
    rte_mbuf* mbuf = d.make_mbuf(packet);
    mbuf->port = 1;
    rte_mbuf* out[kMostFragments];
    const uint16_t count = count_fragments(mbuf, mtu);
    CPPUNIT_ASSERT(count != 0);
    CPPUNIT_ASSERT(make_fragments(mbuf, mtu, 0xabcd1234, d.pool, out));
    for (uint16_t k = 0; k < count; ++k) {
      CPPUNIT_ASSERT_EQUAL(uint16_t{1}, out[k]->port);
      packets.push_back(bytes_of(out[k]));
      CPPUNIT_ASSERT(packets.back().size() <= mtu);
      rte_pktmbuf_free(out[k]);
    }
    CPPUNIT_ASSERT_MESSAGE("the packet is as it was", bytes_of(mbuf) == packet);
    rte_pktmbuf_free(mbuf);
  }
};

uint32_t get16(const Bytes& in, size_t at) { return uint32_t{in.at(at)} << 8 | in.at(at + 1); }

/// Payload by offset; every header is checked. `base`: where the cut packet's own payload began.
Bytes joined(const std::vector<Bytes>& parts, const Bytes& packet, bool last_is_last = true,
             uint32_t base = 0) {
  const bool v4 = packet[0] >> 4 == 4;
  Bytes payload;
  for (size_t k = 0; k < parts.size(); ++k) {
    const Bytes& part = parts[k];
    const bool last = k + 1 == parts.size() && last_is_last;
    const size_t header = v4 ? (part[0] & 0xfu) * 4 : 48;
    const uint32_t word = get16(part, v4 ? 6 : 42);
    const uint32_t offset = v4 ? (word & 0x1fff) * 8 : word & 0xfff8;
    CPPUNIT_ASSERT_EQUAL(base + static_cast<uint32_t>(payload.size()), offset);
    CPPUNIT_ASSERT_EQUAL(!last, (word & (v4 ? 0x2000 : 1)) != 0);
    if (v4) {
      CPPUNIT_ASSERT_EQUAL(uint32_t(part.size()), get16(part, 2));
      Bytes fixed = part;
      fix_ipv4_checksum(fixed);
      CPPUNIT_ASSERT(fixed == part);
      CPPUNIT_ASSERT_EQUAL(get16(packet, 4), get16(part, 4));
    } else {
      CPPUNIT_ASSERT_EQUAL(uint32_t(part.size() - 40), get16(part, 4));
      CPPUNIT_ASSERT_EQUAL(44, int{part[6]});
      CPPUNIT_ASSERT_EQUAL(packet[6], part[40]);
      CPPUNIT_ASSERT(Bytes(part.begin() + 44, part.begin() + 48) ==
                     Bytes({0xab, 0xcd, 0x12, 0x34}));
    }
    const size_t addresses = v4 ? 12 : 8, end = v4 ? 20 : 40;
    CPPUNIT_ASSERT(std::equal(part.begin() + static_cast<long>(addresses),
                              part.begin() + static_cast<long>(end),
                              packet.begin() + static_cast<long>(addresses)));
    payload.insert(payload.end(), part.begin() + static_cast<long>(header), part.end());
  }
  return payload;
}

}  // namespace

class FragmentTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FragmentTest);
  CPPUNIT_TEST(together_they_are_the_packet);
  CPPUNIT_TEST(a_fragment_is_cut_again);
  CPPUNIT_TEST(options_are_repeated_where_they_say_so);
  CPPUNIT_TEST(what_cannot_be_cut);
  CPPUNIT_TEST_SUITE_END();

 public:
  void together_they_are_the_packet() {
    DataPath d;
    for (const bool v6 : {false, true}) {
      for (const uint16_t mtu : {68, 576, 999, 1280, 1440}) {
        for (size_t bytes = mtu; bytes < 1900 && bytes < (mtu - 48u) / 8 * 8 * 31; bytes += 97) {
          const Endpoint from{addr(v6 ? "fd00::1" : "10.0.0.1"), 1};
          const Endpoint to{addr(v6 ? "fd00::2" : "10.0.0.2"), 2};
          const Bytes packet = udp(from, to, pattern(bytes));
          const Parts parts(d, packet, mtu);
          CPPUNIT_ASSERT(joined(parts.packets, packet) ==
                         Bytes(packet.begin() + (v6 ? 40 : 20), packet.end()));
        }
      }
    }
    CPPUNIT_ASSERT_EQUAL(0u, d.mbufs_in_use());
  }

  void a_fragment_is_cut_again() {
    DataPath d;
    Bytes packet = udp({addr("10.0.0.1"), 1}, {addr("10.0.0.2"), 2}, pattern(1200));
    packet[6] = 0x20;  // more follow
    packet[7] = 100;
    fix_ipv4_checksum(packet);
    const Parts parts(d, packet, 600);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, parts.packets.size());
    CPPUNIT_ASSERT(joined(parts.packets, packet, false, 800) ==
                   Bytes(packet.begin() + 20, packet.end()));
  }

  void options_are_repeated_where_they_say_so() {
    DataPath d;
    const Bytes plain = ip(addr("10.0.0.1"), addr("10.0.0.2"), 200, pattern(1000));
    // Record route (not copied), strict source route (copied), end.
    const Bytes options = {7, 3, 4, 0x89, 3, 4, 0, 0};
    Bytes packet =
        Bytes(plain.begin(), plain.begin() + 20) + options + Bytes(plain.begin() + 20, plain.end());
    packet[0] = 0x47;
    packet[2] = static_cast<uint8_t>(packet.size() >> 8);
    packet[3] = static_cast<uint8_t>(packet.size());
    fix_ipv4_checksum(packet);
    const Parts parts(d, packet, 576);
    CPPUNIT_ASSERT(joined(parts.packets, packet) == Bytes(packet.begin() + 28, packet.end()));
    const auto options_of = [](const Bytes& p) { return Bytes(p.begin() + 20, p.begin() + 28); };
    CPPUNIT_ASSERT(options_of(parts.packets[0]) == options);
    CPPUNIT_ASSERT(options_of(parts.packets[1]) == Bytes({1, 1, 1, 0x89, 3, 4, 0, 0}));
  }

  void what_cannot_be_cut() {
    DataPath d;
    rte_mbuf* mbuf = d.make_mbuf(udp({addr("10.0.0.1"), 1}, {addr("10.0.0.2"), 2}, pattern(1800)));
    CPPUNIT_ASSERT_EQUAL(uint16_t{0}, count_fragments(mbuf, 27));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("too many", uint16_t{0}, count_fragments(mbuf, 68 - 24));
    Bytes packet = bytes_of(mbuf);
    CPPUNIT_ASSERT(may_fragment(packet.data()));
    packet[6] = 0x40;
    CPPUNIT_ASSERT(!may_fragment(packet.data()));
    packet[0] = 0x60;
    packet[6] = 0;
    CPPUNIT_ASSERT(!may_fragment(packet.data()));
    rte_pktmbuf_free(mbuf);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FragmentTest);

}  // namespace wirelay::dataplane
