// Protects: what routers outside say of congestion arrives inside, and what the inner packet says
// of itself goes out (RFC 6040); nothing else of the headers changes, and checksums stay right.
#include "dataplane/net/congestion.h"

#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/encap.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

using namespace wirelay::test;

class CongestionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CongestionTest);
  CPPUNIT_TEST(marks_come_in);
  CPPUNIT_TEST(the_field_goes_out);
  CPPUNIT_TEST(keepalives_and_dscp_show_nothing);
  CPPUNIT_TEST_SUITE_END();

 public:
  void marks_come_in() {
    constexpr uint8_t kWanted[4][4] = {
        // outer: not-ECT, ECT(1), ECT(0), CE
        {kNotEct, kNotEct, kNotEct, kNotEct},  // inner: not-ECT, passed as the kernel does
        {kEct1, kEct1, kEct1, kCongestion},    // ECT(1)
        {kEct0, kEct1, kEct0, kCongestion},    // ECT(0)
        {kCongestion, kCongestion, kCongestion, kCongestion}};
    for (const bool outer6 : {false, true}) {
      for (const bool inner6 : {false, true}) {
        DataPath d;
        Client c = d.add_client(outer6);
        for (uint8_t inner = 0; inner < 4; ++inner) {
          for (uint8_t outer = 0; outer < 4; ++outer) {
            Bytes packet = inner_packet(c, inner6, inner);
            Bytes frame = d.tunnelled(c, packet);
            set_ecn(&frame[14], outer);
            d.feed(0, frame);
            d.poll();
            const auto out = d.sent(1);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
            const Bytes arrived = parse_frame(out[0]).payload;
            CPPUNIT_ASSERT(parse_ip_packet(arrived).valid);
            CPPUNIT_ASSERT_EQUAL(unsigned{kWanted[inner][outer]}, unsigned{ecn_of(&arrived[0])});
            CPPUNIT_ASSERT_EQUAL(class_of(packet) & ~kEcnMask, class_of(arrived) & ~kEcnMask);
          }
        }
      }
    }
  }

  void the_field_goes_out() {
    for (const bool outer6 : {false, true}) {
      for (const bool inner6 : {false, true}) {
        DataPath d;
        Client c = d.add_client(outer6);
        for (uint8_t ecn = 0; ecn < 4; ++ecn) {
          Bytes packet = udp({addr(inner6 ? "2001:db8:99::9" : "203.0.113.9"), 2},
                             {inner6 ? c.inner6 : c.inner4, 1}, pattern(36));
          set_class(packet, ecn);
          d.feed(1, d.from_gateway(packet));
          d.poll();
          const auto out = d.sent(0);
          CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{1}, out.size());
          const Bytes outer = parse_frame(out[0]).payload;
          CPPUNIT_ASSERT(parse_ip_packet(outer).valid);
          CPPUNIT_ASSERT_EQUAL_MESSAGE("no DSCP", unsigned{ecn}, class_of(outer));
          const auto opened = d.open(c, out[0]);
          CPPUNIT_ASSERT(opened);
          CPPUNIT_ASSERT_EQUAL(class_of(packet), class_of(opened->packet));
        }
      }
    }
  }

  void keepalives_and_dscp_show_nothing() {
    DataPath d;
    const Client c = d.add_client();
    rte_mbuf* empty = d.make_mbuf({});
    std::fill_n(rte_pktmbuf_mtod(empty, uint8_t*), 16, uint8_t{0xff});
    crypto::AeadPacket text{};
    encapsulate(empty, d.session(c), *d.shared->peers[c.peer].path.load(), 0, text);
    CPPUNIT_ASSERT_EQUAL(0u, class_of(bytes_of(empty)));
    rte_pktmbuf_free(empty);
  }

 private:
  static constexpr unsigned kDscp = 46 << 2;

  static unsigned class_of(const Bytes& ip) {
    return ip[0] >> 4 == 4 ? ip[1] : (ip[0] & 0xfu) << 4 | ip[1] >> 4;
  }
  static void set_class(Bytes& ip, uint8_t ecn) {
    if (ip[0] >> 4 == 6) {
      ip[0] = static_cast<uint8_t>(0x60 | kDscp >> 4);
      ip[1] = static_cast<uint8_t>((kDscp << 4 & 0xf0) | ecn << 4);
    } else {
      ip[1] = static_cast<uint8_t>(kDscp | ecn);
      fix_ipv4_checksum(ip);
    }
  }
  static Bytes inner_packet(const Client& c, bool v6, uint8_t ecn) {
    Bytes packet = udp({v6 ? c.inner6 : c.inner4, 1},
                       {addr(v6 ? "2001:db8:99::9" : "203.0.113.9"), 2}, pattern(36));
    set_class(packet, ecn);
    return packet;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CongestionTest);

}  // namespace wirelay::dataplane
