// Protects that a key which two devices share is noticed, and a device that moves about is not
// taken for two.
#include "ctrl/protocol/shared_keys.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kHz = 1'000'000;
const dataplane::Endpoint kHome{*dataplane::parse_ip("192.0.2.1"), 1000};
const dataplane::Endpoint kAway{*dataplane::parse_ip("2001:db8::7"), 1000};

class SharedKeysTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SharedKeysTest);
  CPPUNIT_TEST(two_places_in_turn);
  CPPUNIT_TEST(one_place);
  CPPUNIT_TEST(always_elsewhere);
  CPPUNIT_TEST(now_and_then);
  CPPUNIT_TEST(another_peer_begins_anew);
  CPPUNIT_TEST_SUITE_END();

  SharedKeys keys_{2, kHz};
  uint64_t now_ = 1000 * kHz;

  bool note(const dataplane::Endpoint& from, uint64_t seconds = 15) {
    now_ += seconds * kHz;
    return keys_.note(1, from, now_).has_value();
  }
  /// Handshakes until it is noticed; 0: it is not.
  int noticed_after(int most, uint64_t seconds = 15) {
    for (int i = 1; i <= most; ++i) {
      if (note(i % 2 == 0 ? kHome : kAway, seconds)) return i;
    }
    return 0;
  }

 public:
  void two_places_in_turn() {
    CPPUNIT_ASSERT_EQUAL(8, noticed_after(100));
    CPPUNIT_ASSERT(keys_.note(1, kAway, now_) == std::nullopt);
    CPPUNIT_ASSERT_EQUAL(6, noticed_after(100));  // and again
  }

  void one_place() {
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(!note(kHome));
  }

  void always_elsewhere() {
    dataplane::Endpoint place = kHome;
    for (uint16_t i = 0; i < 100; ++i) {
      place.port = static_cast<uint16_t>(1 + i % 3);
      CPPUNIT_ASSERT(!note(place));
    }
  }

  void now_and_then() { CPPUNIT_ASSERT_EQUAL(0, noticed_after(100, 150)); }

  void another_peer_begins_anew() {
    CPPUNIT_ASSERT_EQUAL(0, noticed_after(7));
    keys_.forget(1);
    CPPUNIT_ASSERT_EQUAL(0, noticed_after(7));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SharedKeysTest);

}  // namespace
}  // namespace wirelay::ctrl
