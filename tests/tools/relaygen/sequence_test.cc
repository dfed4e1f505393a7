// Protects the difference between duplicates and reordering, which a report tells each by itself.
#include "tools/relaygen/sequence.h"

#include <algorithm>
#include <set>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/random.h"

namespace wirelay::relaygen {

namespace {

class SequenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SequenceTest);
  CPPUNIT_TEST(in_order_from_any_start);
  CPPUNIT_TEST(overtaken_is_reordered_once);
  CPPUNIT_TEST(every_repetition_is_a_duplicate);
  CPPUNIT_TEST(beyond_memory_is_reordered);
  CPPUNIT_TEST(jumps_of_any_length);
  CPPUNIT_TEST(random_order_against_a_set);
  CPPUNIT_TEST_SUITE_END();

  void in_order_from_any_start() {
    for (const uint64_t start : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40}) {
      SequenceTracker tracker;
      for (uint64_t i = 0; i < 200; ++i) {
        CPPUNIT_ASSERT(tracker.take(start + i) == Arrival::kInOrder);
      }
    }
  }

  void overtaken_is_reordered_once() {
    SequenceTracker tracker;
    CPPUNIT_ASSERT(tracker.take(0) == Arrival::kInOrder);
    CPPUNIT_ASSERT(tracker.take(2) == Arrival::kInOrder);
    CPPUNIT_ASSERT(tracker.take(1) == Arrival::kReordered);
    CPPUNIT_ASSERT(tracker.take(1) == Arrival::kDuplicate);
    CPPUNIT_ASSERT(tracker.take(3) == Arrival::kInOrder);
  }

  void every_repetition_is_a_duplicate() {
    SequenceTracker tracker;
    for (uint64_t i = 0; i < 64; ++i) tracker.take(i);
    for (uint64_t i = 0; i < 64; ++i) CPPUNIT_ASSERT(tracker.take(i) == Arrival::kDuplicate);
  }

  void beyond_memory_is_reordered() {
    SequenceTracker tracker;
    for (uint64_t i = 0; i <= 64; ++i) tracker.take(i);
    CPPUNIT_ASSERT(tracker.take(1) == Arrival::kDuplicate);
    CPPUNIT_ASSERT(tracker.take(0) == Arrival::kReordered);
  }

  void jumps_of_any_length() {
    for (const uint64_t jump : {1, 63, 64, 65, 1000}) {
      SequenceTracker tracker;
      tracker.take(0);
      CPPUNIT_ASSERT(tracker.take(jump) == Arrival::kInOrder);
      CPPUNIT_ASSERT(tracker.take(jump) == Arrival::kDuplicate);
      CPPUNIT_ASSERT(tracker.take(0) == (jump < 64 ? Arrival::kDuplicate : Arrival::kReordered));
    }
  }

  void random_order_against_a_set() {
    SequenceTracker tracker;
    Random random(5);
    std::set<uint64_t> seen;
    uint64_t greatest = 0;
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t number = greatest + random.below(70) - std::min<uint64_t>(greatest, 60);
      const Arrival arrival = tracker.take(number);
      if (seen.empty() || number > greatest) {
        CPPUNIT_ASSERT(arrival == Arrival::kInOrder);
      } else if (greatest - number < 64) {
        CPPUNIT_ASSERT((arrival == Arrival::kDuplicate) == seen.contains(number));
      }
      seen.insert(number);
      greatest = std::max(greatest, number);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SequenceTest);

}  // namespace

}  // namespace wirelay::relaygen
