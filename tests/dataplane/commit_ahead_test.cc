// Protects the memory of arrays that are filled in order: it is there before it is used, what it
// holds stays, and nothing beyond the array is asked for.
#include "dataplane/tables/commit_ahead.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/mman.h>

namespace wirelay::dataplane {

namespace {

constexpr size_t kWords = detail::kHugePage / sizeof(uint64_t);
constexpr size_t kPages = detail::kHugePage / 4096;

size_t resident_pages(void* memory) {
  std::vector<unsigned char> pages(kPages);
  CPPUNIT_ASSERT_EQUAL(0, mincore(memory, detail::kHugePage, pages.data()));
  return static_cast<size_t>(
      std::ranges::count_if(pages, [](unsigned char p) { return (p & 1) != 0; }));
}

bool kernel_commits() {
  LazyArray<uint64_t> array(1);
  return madvise(array.data(), 4096, MADV_POPULATE_WRITE) == 0;
}

class CommitAheadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CommitAheadTest);
  CPPUNIT_TEST(the_next_huge_page_is_there_in_time);
  CPPUNIT_TEST(elements_that_lie_across_pages);
  CPPUNIT_TEST(small_arrays_and_the_end);
  CPPUNIT_TEST_SUITE_END();

  static void wait_for(void* memory) {
    while (resident_pages(memory) != kPages) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void the_next_huge_page_is_there_in_time() {
    if (!kernel_commits()) return;
    LazyArray<uint64_t> array(4 * kWords);
    array[2 * kWords] = 7;
    for (size_t i = 0; i < 3 * kWords; ++i) {
      reached(array, i);
      if (i == kWords / 2) CPPUNIT_ASSERT_EQUAL(size_t{0}, resident_pages(&array[3 * kWords]));
      if (i % kWords == kWords / 2) wait_for(&array[(i / kWords + 1) * kWords]);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{7}, array[2 * kWords]);
  }

  void elements_that_lie_across_pages() {
    if (!kernel_commits()) return;
    constexpr size_t kAtOnce = 1000;  // does not divide a page
    LazyArray<uint64_t> array(4 * kWords);
    for (size_t i = 0; i + kAtOnce < 3 * kWords; i += kAtOnce) reached(array, i, kAtOnce);
    wait_for(&array[kWords]);
    wait_for(&array[2 * kWords]);
    wait_for(&array[3 * kWords]);
  }

  void small_arrays_and_the_end() {
    LazyArray<uint64_t> small(10);
    for (size_t i = 0; i < small.size(); ++i) reached(small, i);
    LazyArray<uint64_t> array(kWords + 1);
    for (size_t i = 0; i < array.size(); ++i) reached(array, i);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, array[kWords]);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CommitAheadTest);

}  // namespace
}  // namespace wirelay::dataplane
