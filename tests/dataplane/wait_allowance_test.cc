// Protects: packets that wait are few in each period, and no destination uses up what all may.
#include "dataplane/wait_allowance.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::dataplane {

class WaitAllowanceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WaitAllowanceTest);
  CPPUNIT_TEST(one_destination_gets_its_part);
  CPPUNIT_TEST(all_together_get_no_more);
  CPPUNIT_TEST(each_period_begins_anew);
  CPPUNIT_TEST_SUITE_END();

 public:
  void one_destination_gets_its_part() {
    CPPUNIT_ASSERT_EQUAL(WaitAllowance::kMostForOne, take(100, 5));
    CPPUNIT_ASSERT_EQUAL(WaitAllowance::kMostForOne, take(100, 6));
  }

  void all_together_get_no_more() {
    unsigned taken = 0;
    for (uint64_t destination = 0; destination < 1000; ++destination) taken += take(2, destination);
    CPPUNIT_ASSERT_EQUAL(WaitAllowance::kMost, taken);
  }

  void each_period_begins_anew() {
    for (uint64_t destination = 0; destination < 100; ++destination) take(100, destination);
    now_ += kHz / 100 - 1;
    CPPUNIT_ASSERT_EQUAL(0u, take(1, 5));
    now_ += 1;
    CPPUNIT_ASSERT_EQUAL(WaitAllowance::kMostForOne, take(100, 5));
  }

 private:
  static constexpr uint64_t kHz = 1'000'000'000;

  /// How many of `tries` packets may wait.
  unsigned take(unsigned tries, uint64_t destination) {
    unsigned taken = 0;
    for (unsigned i = 0; i < tries; ++i) taken += allowance_.take(now_, destination) ? 1 : 0;
    return taken;
  }
  uint64_t now_ = 1000 * kHz;
  WaitAllowance allowance_{kHz};
};

CPPUNIT_TEST_SUITE_REGISTRATION(WaitAllowanceTest);

}  // namespace wirelay::dataplane
