// Protects: a receiver index holds slot, owner and tag, as narrow as the sizes allow, and what is
// on the wire tells neither how many sessions there are nor which came before.
#include "dataplane/tables/index_layout.h"

#include <stdexcept>
#include <utility>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/keys.h"
#include "dataplane/tables/session_writer.h"

namespace wirelay::dataplane {

class IndexLayoutTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IndexLayoutTest);
  CPPUNIT_TEST(is_as_narrow_as_can_be);
  CPPUNIT_TEST(keeps_its_parts);
  CPPUNIT_TEST(permutation_is_undone);
  CPPUNIT_TEST(index_is_not_predictable);
  CPPUNIT_TEST(refuses_what_leaves_no_tag);
  CPPUNIT_TEST_SUITE_END();

 public:
  void is_as_narrow_as_can_be() {
    const auto widths = [](uint32_t slots, uint32_t workers) {
      const IndexLayout l = IndexLayout::make(slots, workers);
      return std::pair<int, int>(l.slot_bits, l.owner_bits);
    };
    CPPUNIT_ASSERT(widths(1, 1) == std::pair(0, 0));
    CPPUNIT_ASSERT(widths(2, 2) == std::pair(1, 1));
    CPPUNIT_ASSERT(widths(4096, 1) == std::pair(12, 0));
    CPPUNIT_ASSERT(widths(4097, 3) == std::pair(13, 2));
    CPPUNIT_ASSERT(widths(1u << 22, 16) == std::pair(22, 4));
  }

  void keeps_its_parts() {
    for (const auto& [slots, workers] : {std::pair(1u, 1u), {300u, 5u}, {1u << 22, 16u}}) {
      const IndexLayout l = IndexLayout::make(slots, workers);
      const uint32_t index = l.index(slots - 1, workers - 1, 37);
      CPPUNIT_ASSERT_EQUAL(slots - 1, l.slot(index));
      CPPUNIT_ASSERT_EQUAL(workers - 1, l.owner(index));
      CPPUNIT_ASSERT_EQUAL(37u, l.tag(index));
    }
  }

  void permutation_is_undone() {
    for (int i = 0; i < 100; ++i) {
      const IndexPermutation drawn = IndexPermutation::draw();
      for (const uint32_t word : {0u, 1u, 0x80000000u, UINT32_MAX, crypto::random_u32()}) {
        CPPUNIT_ASSERT_EQUAL(word, drawn.show(drawn.hide(word)));
        CPPUNIT_ASSERT_EQUAL(word, drawn.hide(drawn.show(word)));
      }
    }
  }

  /// Slots are given out in order: neither the place of an index nor the distance of two may tell.
  void index_is_not_predictable() {
    SessionTable table(1024, 4, 1024);
    Rcu rcu(4);
    SessionWriter writer(table, rcu);
    int plain = 0, near = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < 1000; ++i) {
      const uint32_t index = writer.reserve(i, 0).value();
      CPPUNIT_ASSERT_EQUAL(i, table.layout().slot(index));
      plain += (index & 1023) == i ? 1 : 0;
      near += ((index - last) & 1023) == 1 ? 1 : 0;
      last = index;
    }
    CPPUNIT_ASSERT(plain < 50 && near < 50);
  }

  void refuses_what_leaves_no_tag() {
    CPPUNIT_ASSERT_NO_THROW(IndexLayout::make(1u << 26, 1));
    CPPUNIT_ASSERT_THROW(IndexLayout::make(1u << 26, 2), std::invalid_argument);
    CPPUNIT_ASSERT_THROW(IndexLayout::make(UINT32_MAX, 1), std::invalid_argument);
    CPPUNIT_ASSERT_THROW(IndexLayout::make(0, 1), std::invalid_argument);
    CPPUNIT_ASSERT_THROW(IndexLayout::make(1, 0), std::invalid_argument);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IndexLayoutTest);

}  // namespace wirelay::dataplane
