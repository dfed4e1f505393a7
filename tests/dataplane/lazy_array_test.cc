// Protects what tables expect of their memory: zero, aligned, costing nothing until it is touched,
// and out of core dumps when it holds keys.
#include "dataplane/tables/lazy_array.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/mman.h>

namespace wirelay::dataplane {

namespace {

size_t resident_pages(void* memory, size_t bytes) {
  std::vector<unsigned char> pages((bytes + 4095) / 4096);
  CPPUNIT_ASSERT_EQUAL(0, mincore(memory, bytes, pages.data()));
  return static_cast<size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; }));
}

/// The kernel's flags of the mapping that holds `memory`, as in /proc/self/smaps.
std::string mapping_flags(const void* memory) {
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(memory);
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    uintptr_t from = 0, to = 0;
    char dash = 0;
    std::istringstream head(line);
    if (head >> std::hex >> from >> dash >> to && dash == '-')
      inside = from <= wanted && wanted < to;
    if (inside && line.rfind("VmFlags:", 0) == 0) return line + ' ';
  }
  return "";
}

class LazyArrayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LazyArrayTest);
  CPPUNIT_TEST(is_zero);
  CPPUNIT_TEST(large_arrays_are_aligned_to_huge_pages);
  CPPUNIT_TEST(costs_what_is_touched);
  CPPUNIT_TEST(secrets_are_not_dumped);
  CPPUNIT_TEST(gives_its_memory_back);
  CPPUNIT_TEST(refuses_what_cannot_be);
  CPPUNIT_TEST_SUITE_END();

  void is_zero() {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{511}, size_t{513}, size_t{300000}}) {
      LazyArray<uint64_t> array(size);
      CPPUNIT_ASSERT_EQUAL(size, array.size());
      CPPUNIT_ASSERT(
          std::all_of(array.data(), array.data() + size, [](uint64_t v) { return v == 0; }));
      std::fill_n(array.data(), size, ~uint64_t{0});  // all of it is ours
    }
  }

  void large_arrays_are_aligned_to_huge_pages() {
    constexpr size_t kHuge = size_t{2} << 20;
    for (int i = 0; i < 8; ++i) {
      LazyArray<uint8_t> shift(4096);  // so that the kernel's next address is not aligned by chance
      LazyArray<uint8_t> large(3 * kHuge + 1);
      CPPUNIT_ASSERT_EQUAL(uintptr_t{0}, reinterpret_cast<uintptr_t>(large.data()) % kHuge);
      large[3 * kHuge] = 1;
    }
  }

  void costs_what_is_touched() {
    LazyArray<uint8_t> array(size_t{1} << 30);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, resident_pages(array.data(), array.size()));
    array[123] = 1;
    CPPUNIT_ASSERT_EQUAL(size_t{1}, resident_pages(array.data(), array.size()));
    array[123456789] = 1;
    const size_t pages = resident_pages(array.data(), array.size());
    CPPUNIT_ASSERT(pages >= 2 && pages <= 1 + 512);  // a page, or a huge one
  }

  void secrets_are_not_dumped() {
    LazyArray<uint8_t> secret(5000, Memory::kSecret), open(5000);
    CPPUNIT_ASSERT(mapping_flags(secret.data()).find(" dd ") != std::string::npos);
    CPPUNIT_ASSERT(mapping_flags(open.data()).find(" dd ") == std::string::npos);
  }

  void gives_its_memory_back() {
    for (const size_t size : {size_t{100}, size_t{5} << 20}) {
      void* gone;
      {
        LazyArray<uint8_t> array(size);
        gone = array.data();
        array[size - 1] = 1;
      }
      unsigned char page;
      CPPUNIT_ASSERT_EQUAL(-1, mincore(gone, 4096, &page));  // not mapped
    }
  }

  void refuses_what_cannot_be() {
    CPPUNIT_ASSERT_THROW(LazyArray<uint64_t>(SIZE_MAX / 16), std::bad_alloc);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LazyArrayTest);

}  // namespace

}  // namespace wirelay::dataplane
