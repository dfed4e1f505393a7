// Protects the latencies that are reported: percentiles are held against the sorted values.
#include "tools/relaygen/histogram.h"

#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/random.h"

namespace wirelay::relaygen {

namespace {

constexpr double kShares[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};

uint64_t nearest_rank(const std::vector<uint64_t>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

class HistogramTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HistogramTest);
  CPPUNIT_TEST(small_values_are_exact);
  CPPUNIT_TEST(large_values_are_within_one_percent);
  CPPUNIT_TEST(extremes_are_kept);
  CPPUNIT_TEST(sums_are_as_if_added_one_by_one);
  CPPUNIT_TEST(empty_has_no_percentiles);
  CPPUNIT_TEST_SUITE_END();

  static std::vector<uint64_t> values(unsigned largest_power) {
    Random random(3);
    std::vector<uint64_t> all(10'000);
    for (uint64_t& value : all) value = random.next() >> (64 - 1 - random.below(largest_power));
    return all;
  }

  void small_values_are_exact() {
    Histogram histogram;
    std::vector<uint64_t> all = values(6);
    for (const uint64_t value : all) histogram.add(value);
    std::ranges::sort(all);
    for (const double share : kShares) {
      CPPUNIT_ASSERT_EQUAL(nearest_rank(all, share), histogram.percentile(share));
    }
  }

  void large_values_are_within_one_percent() {
    Histogram histogram;
    std::vector<uint64_t> all = values(62);
    for (const uint64_t value : all) histogram.add(value);
    std::ranges::sort(all);
    for (const double share : kShares) {
      const uint64_t exact = nearest_rank(all, share), told = histogram.percentile(share);
      CPPUNIT_ASSERT(told >= exact);
      CPPUNIT_ASSERT(static_cast<double>(told - exact) <= 0.01 * static_cast<double>(exact));
    }
    CPPUNIT_ASSERT_EQUAL(all.back(), histogram.greatest());
    CPPUNIT_ASSERT_EQUAL(all.back(), histogram.percentile(1));
  }

  void extremes_are_kept() {
    Histogram histogram;
    histogram.add(UINT64_MAX);
    CPPUNIT_ASSERT_EQUAL(UINT64_MAX, histogram.percentile(0.5));
    histogram.add(0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, histogram.percentile(0.5));
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, histogram.total());
  }

  void sums_are_as_if_added_one_by_one() {
    Histogram all, left, right;
    for (const uint64_t value : values(40)) {
      all.add(value);
      (value % 2 == 0 ? left : right).add(value);
    }
    left.add(right);
    CPPUNIT_ASSERT_EQUAL(all.total(), left.total());
    for (const double share : kShares) {
      CPPUNIT_ASSERT_EQUAL(all.percentile(share), left.percentile(share));
    }
  }

  void empty_has_no_percentiles() {
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, Histogram().percentile(0.99));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HistogramTest);

}  // namespace

}  // namespace wirelay::relaygen
