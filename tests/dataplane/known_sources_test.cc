// Protects: addresses of peers are known while they are live and no longer, no stranger is taken
// for one, and what is forgotten first is what was heard longest ago.
#include "dataplane/tables/known_sources.h"

#include <string>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr uint64_t kNow = 1000 * kHz;
constexpr uint64_t kUnit = uint64_t{1} << 32;  // times are rounded to it

IpAddr numbered(uint32_t number) {
  const uint32_t bytes = __builtin_bswap32(number);
  return IpAddr::v4(&bytes);
}

}  // namespace

class KnownSourcesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KnownSourcesTest);
  CPPUNIT_TEST(known_for_a_while);
  CPPUNIT_TEST(heard_again_is_known_longer);
  CPPUNIT_TEST(networks_of_ipv6_are_one);
  CPPUNIT_TEST(all_peers_and_nobody_else);
  CPPUNIT_TEST(the_oldest_are_forgotten);
  CPPUNIT_TEST_SUITE_END();

 public:
  void known_for_a_while() {
    KnownSources known(4, kHz);
    const IpAddr source = *parse_ip("198.51.100.1");
    CPPUNIT_ASSERT(!known.has(source, kNow));
    known.note(source, kNow);
    CPPUNIT_ASSERT(known.has(source, kNow));
    CPPUNIT_ASSERT(!known.has(*parse_ip("198.51.100.2"), kNow));
    const uint64_t end = kNow + KnownSources::kKnownForSeconds * kHz;
    CPPUNIT_ASSERT(known.has(source, end - kUnit));
    CPPUNIT_ASSERT(!known.has(source, end + 2 * kUnit));
  }

  void heard_again_is_known_longer() {
    KnownSources known(4, kHz);
    const IpAddr source = *parse_ip("198.51.100.1");
    const uint64_t half = KnownSources::kKnownForSeconds * kHz / 2;
    for (uint64_t now = kNow; now < kNow + 10 * half; now += half) known.note(source, now);
    CPPUNIT_ASSERT(known.has(source, kNow + 10 * half));
  }

  void networks_of_ipv6_are_one() {
    KnownSources known(4, kHz);
    known.note(*parse_ip("2001:db8:1:2::1"), kNow);
    CPPUNIT_ASSERT(known.has(*parse_ip("2001:db8:1:2:ffff::9"), kNow));
    CPPUNIT_ASSERT(!known.has(*parse_ip("2001:db8:1:3::1"), kNow));
  }

  /// Of 10,000 hardly any find their set full; a stranger is taken for one in 2^29.
  void all_peers_and_nobody_else() {
    constexpr uint32_t kPeers = 10'000;
    KnownSources known(kPeers, kHz);
    for (uint32_t i = 0; i < kPeers; ++i) known.note(numbered(0x0a000000 + i), kNow);
    uint32_t peers = 0, strangers = 0;
    for (uint32_t i = 0; i < kPeers; ++i) {
      peers += known.has(numbered(0x0a000000 + i), kNow) ? 1 : 0;
      strangers += known.has(numbered(0x0b000000 + i), kNow) ? 1 : 0;
    }
    CPPUNIT_ASSERT(peers > kPeers - kPeers / 1000);
    CPPUNIT_ASSERT_EQUAL(0u, strangers);
  }

  void the_oldest_are_forgotten() {
    KnownSources known(1, kHz);  // one set, of eight
    uint64_t now = kNow;
    for (uint32_t i = 0; i < 20; ++i, now += 2 * kUnit) known.note(numbered(i + 1), now);
    for (uint32_t i = 0; i < 20; ++i) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(i), i >= 12, known.has(numbered(i + 1), now));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KnownSourcesTest);

}  // namespace wirelay::dataplane
