// Protects: a SYN asks for no larger segments than the way takes, and nothing else of it changes
// but its checksum, which is right; what is no SYN, or no whole one, is left as it is.
#include "dataplane/net/tcp.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/packets.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

const Endpoint kFrom4{addr("10.0.1.1"), 4000}, kTo4{addr("203.0.113.9"), 80};
const Endpoint kFrom6{addr("fd00::101"), 4000}, kTo6{addr("2001:db8::9"), 80};

Bytes mss(uint16_t bytes) {
  return {2, 4, static_cast<uint8_t>(bytes >> 8), static_cast<uint8_t>(bytes)};
}

Bytes syn(bool v6, const Bytes& options, uint8_t flags = kSyn) {
  return tcp(v6 ? kFrom6 : kFrom4, v6 ? kTo6 : kTo4, 0x12345678, 9, flags, options);
}

Bytes clamped(Bytes packet, uint16_t mtu) {
  clamp_mss(packet.data(), static_cast<uint32_t>(packet.size()), mtu);
  return packet;
}

}  // namespace

class TcpTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TcpTest);
  CPPUNIT_TEST(a_syn_is_lowered_to_what_fits);
  CPPUNIT_TEST(at_any_place_among_the_options);
  CPPUNIT_TEST(what_fits_stays);
  CPPUNIT_TEST(damaged_ones_stay);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_syn_is_lowered_to_what_fits() {
    for (const bool v6 : {false, true}) {
      const uint16_t fits = v6 ? 1420 - 60 : 1420 - 40;
      for (const uint8_t flags : {uint8_t{kSyn}, uint8_t{kSyn | kAck}}) {
        const Bytes out = clamped(syn(v6, mss(1460), flags), 1420);
        CPPUNIT_ASSERT(out == syn(v6, mss(fits), flags));
      }
    }
  }

  /// At odd places too, where the value lies across two words of the checksum.
  void at_any_place_among_the_options() {
    for (const bool v6 : {false, true}) {
      const uint16_t fits = v6 ? 1340 : 1360;
      for (size_t before = 0; before < 9; ++before) {
        for (uint32_t value = 0xf0; value < 0x10000; value += 331) {
          const auto options = [&](uint16_t asked) {
            Bytes all = Bytes(before, 1) + mss(asked);
            all.resize((all.size() + 3) / 4 * 4, 1);
            return all;
          };
          const auto asked = static_cast<uint16_t>(value);
          CPPUNIT_ASSERT(clamped(syn(v6, options(asked)), 1400) ==
                         syn(v6, options(std::min(asked, fits))));
        }
      }
    }
  }

  void what_fits_stays() {
    for (const bool v6 : {false, true}) {
      for (const Bytes& packet : {syn(v6, mss(1300)), syn(v6, {}), syn(v6, mss(1460), kAck),
                                  syn(v6, {1, 1, 1, 0, 2, 4, 5, 0xb4})}) {
        CPPUNIT_ASSERT(clamped(packet, 1400) == packet);
      }
    }
  }

  void damaged_ones_stay() {
    for (const bool v6 : {false, true}) {
      const size_t front = v6 ? 40 : 20;
      for (const Bytes& options : {Bytes{2, 3, 5, 0xb4}, Bytes{2, 0, 5, 0xb4}, Bytes{3, 9, 2, 4},
                                   Bytes{1, 1, 1, 2}, Bytes{1, 1, 2, 4}, Bytes{2, 6, 5, 0xb4}}) {
        const Bytes packet = syn(v6, options);
        CPPUNIT_ASSERT(clamped(packet, 600) == packet);
      }
      Bytes longer = syn(v6, mss(1460));
      longer[front + 12] = 0xf0;  // options of 40 bytes, which are not there
      CPPUNIT_ASSERT(clamped(longer, 600) == longer);
      Bytes shorter = syn(v6, mss(1460));
      shorter[front + 12] = 0x40;
      CPPUNIT_ASSERT(clamped(shorter, 600) == shorter);
      Bytes half = syn(v6, mss(1460));
      half.resize(front + 19);
      CPPUNIT_ASSERT(clamped(half, 600) == half);
    }
    Bytes later = syn(false, mss(1460));
    later[7] = 3;
    CPPUNIT_ASSERT(clamped(later, 600) == later);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TcpTest);

}  // namespace wirelay::dataplane
