// Protects: what is handed up is little in each period, and nobody uses up what all may.
#include "dataplane/punt_allowance.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::dataplane {

class PuntAllowanceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PuntAllowanceTest);
  CPPUNIT_TEST(one_party_gets_its_part);
  CPPUNIT_TEST(all_together_get_no_more);
  CPPUNIT_TEST(each_period_begins_anew);
  CPPUNIT_TEST_SUITE_END();

 public:
  void one_party_gets_its_part() {
    CPPUNIT_ASSERT_EQUAL(unsigned{kMostForOne}, take(100, 5));
    CPPUNIT_ASSERT_EQUAL(unsigned{kMostForOne}, take(100, 6));
  }

  void all_together_get_no_more() {
    unsigned taken = 0;
    for (uint64_t party = 0; party < 1000; ++party) taken += take(2, party);
    CPPUNIT_ASSERT_EQUAL(unsigned{kMost}, taken);
  }

  void each_period_begins_anew() {
    for (uint64_t party = 0; party < 100; ++party) take(100, party);
    now_ += kHz / 100 - 1;
    CPPUNIT_ASSERT_EQUAL(0u, take(1, 5));
    now_ += 1;
    CPPUNIT_ASSERT_EQUAL(unsigned{kMostForOne}, take(100, 5));
  }

 private:
  static constexpr uint64_t kHz = 1'000'000'000;
  static constexpr uint8_t kMostForOne = 16;
  static constexpr uint16_t kMost = 300;  // more than one byte counts

  /// How many of `tries` packets may be handed up.
  unsigned take(unsigned tries, uint64_t party) {
    unsigned taken = 0;
    for (unsigned i = 0; i < tries; ++i) taken += allowance_.take(now_, party) ? 1 : 0;
    return taken;
  }
  uint64_t now_ = 1000 * kHz;
  PuntAllowance allowance_{kHz, kMostForOne, kMost};
};

CPPUNIT_TEST_SUITE_REGISTRATION(PuntAllowanceTest);

}  // namespace wirelay::dataplane
