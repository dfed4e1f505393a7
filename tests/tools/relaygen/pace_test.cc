// Protects offered rates: no packet early, none late, and no rounding that adds up.
#include "tools/relaygen/pace.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::relaygen {

namespace {

class PaceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PaceTest);
  CPPUNIT_TEST(first_is_due_at_once);
  CPPUNIT_TEST(due_agrees_with_offsets);
  CPPUNIT_TEST(long_runs_do_not_drift);
  CPPUNIT_TEST_SUITE_END();

  void first_is_due_at_once() {
    const Pace pace(1, 2'000'000'000);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, pace.offset(0));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pace.due(0));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, pace.due(1'999'999'999));
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, pace.due(2'000'000'000));
  }

  void due_agrees_with_offsets() {
    for (const double rate : {3.0, 1000.0, 333'333.3, 59.52e6}) {
      const Pace pace(rate, 2'600'000'000);
      for (uint64_t i = 1; i < 2000; ++i) {
        const uint64_t at = pace.offset(i);
        CPPUNIT_ASSERT(pace.due(at) >= i + 1);
        CPPUNIT_ASSERT(at < 2 || pace.due(at - 2) <= i);
      }
    }
  }

  void long_runs_do_not_drift() {
    constexpr uint64_t kHz = 2'593'906'000;
    const Pace pace(7'777'777, kHz);
    for (const uint64_t seconds : {1, 60, 3600}) {
      CPPUNIT_ASSERT_DOUBLES_EQUAL(7'777'777.0 * static_cast<double>(seconds),
                                   static_cast<double>(pace.due(seconds * kHz)), 2);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PaceTest);

}  // namespace

}  // namespace wirelay::relaygen
