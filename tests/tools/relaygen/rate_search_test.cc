// Protects the search for the highest rate, against devices that are simulated: it finds what they
// carry, from any first guess, in few trials, and ends in any case.
#include "tools/relaygen/rate_search.h"

#include <functional>

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/random.h"

namespace wirelay::relaygen {

namespace {

constexpr double kResolution = 0.01;

struct Found {
  double rate;
  int trials;
};

Found search(double guess, double ceiling, const std::function<bool(double)>& carries) {
  RateSearch search(guess, ceiling, kResolution);
  int trials = 0;
  while (const auto rate = search.next_rate()) {
    CPPUNIT_ASSERT(*rate <= ceiling);
    carries(*rate) ? search.passed() : search.failed();
    CPPUNIT_ASSERT_MESSAGE("does not end", ++trials < 100);
  }
  return {search.best(), trials};
}

class RateSearchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RateSearchTest);
  CPPUNIT_TEST(finds_what_a_device_carries);
  CPPUNIT_TEST(ceiling_is_offered_and_not_passed);
  CPPUNIT_TEST(device_that_carries_nothing);
  CPPUNIT_TEST(result_has_passed_even_if_the_device_wavers);
  CPPUNIT_TEST_SUITE_END();

  void finds_what_a_device_carries() {
    for (const double capacity : {1e3, 123'456.0, 2e6}) {
      for (const double guess : {0.01, 0.3, 0.99, 1.0, 1.5, 8.0}) {
        const Found found = search(capacity * guess, 1e9, [&](double r) { return r <= capacity; });
        CPPUNIT_ASSERT(found.rate <= capacity);
        CPPUNIT_ASSERT(found.rate >= capacity * (1 - kResolution));
        CPPUNIT_ASSERT(found.trials <= 32);
      }
    }
  }

  void ceiling_is_offered_and_not_passed() {
    const Found found = search(500, 1000, [](double) { return true; });
    CPPUNIT_ASSERT_EQUAL(1000.0, found.rate);
    CPPUNIT_ASSERT_EQUAL(1000.0, search(5000, 1000, [](double) { return true; }).rate);
  }

  void device_that_carries_nothing() {
    const Found found = search(1e6, 1e9, [](double) { return false; });
    CPPUNIT_ASSERT_EQUAL(0.0, found.rate);
    CPPUNIT_ASSERT(found.trials <= 12);
  }

  void result_has_passed_even_if_the_device_wavers() {
    Random random(11);
    for (int i = 0; i < 100; ++i) {
      double greatest_passed = 0;
      const Found found = search(1e6 * random.unit() + 1, 2e6, [&](double rate) {
        const bool passes = rate < 1e6 * (0.9 + 0.2 * random.unit());
        if (passes) greatest_passed = std::max(greatest_passed, rate);
        return passes;
      });
      CPPUNIT_ASSERT_EQUAL(greatest_passed, found.rate);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RateSearchTest);

}  // namespace

}  // namespace wirelay::relaygen
