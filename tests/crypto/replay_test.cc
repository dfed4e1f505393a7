// Protects the replay window: no counter is accepted twice, and none that is new and within the
// window is refused, at its edges, across jumps of any size and at the end of the counters.
#include "crypto/replay.h"

#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/wire.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

/// A window with its memory.
struct Window {
  explicit Window(uint32_t packets = 8192)
      : words(replay_words(packets)), reach(words.size() * 64 - 64) {}
  bool accept(uint64_t counter) { return ReplayWindow(words, front).accept(counter); }

  std::vector<uint64_t> words;
  ReplayFront front{};
  uint64_t reach;  // how far below the greatest accepted counter one is still accepted
};

}  // namespace

class ReplayTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReplayTest);
  CPPUNIT_TEST(sizes);
  CPPUNIT_TEST(kernel_cases);
  CPPUNIT_TEST(in_order);
  CPPUNIT_TEST(backwards);
  CPPUNIT_TEST(edge_at_every_alignment);
  CPPUNIT_TEST(jumps_clear_what_they_enter);
  CPPUNIT_TEST(end_of_counters);
  CPPUNIT_TEST(against_a_model);
  CPPUNIT_TEST_SUITE_END();

  void sizes() {
    CPPUNIT_ASSERT_EQUAL(uint32_t{16}, replay_words(1024));
    CPPUNIT_ASSERT_EQUAL(uint32_t{32}, replay_words(1025));
    CPPUNIT_ASSERT_EQUAL(uint32_t{128}, replay_words(8192));
    CPPUNIT_ASSERT_EQUAL(uint32_t{1024}, replay_words(65536));
  }

  /// The cases of the Linux kernel's own self-test of its window.
  void kernel_cases() {
    Window w;
    const uint64_t limit = w.reach + 1;
    const struct {
      uint64_t counter;
      bool accepted;
    } cases[] = {{0, true},
                 {1, true},
                 {1, false},
                 {9, true},
                 {8, true},
                 {7, true},
                 {7, false},
                 {limit, true},
                 {limit - 1, true},
                 {limit - 1, false},
                 {limit - 2, true},
                 {2, true},
                 {2, false},
                 {limit + 16, true},
                 {3, false},
                 {limit + 16, false},
                 {limit * 4, true},
                 {limit * 4 - (limit - 1), true},
                 {10, false},
                 {limit * 4 - limit, false},
                 {limit * 4 - (limit + 1), false},
                 {limit * 4 - (limit - 2), true},
                 {limit * 4 + 1 - limit, false},
                 {0, false},
                 {kRejectAfterMessages, false},
                 {kRejectAfterMessages - 1, true},
                 {kRejectAfterMessages, false},
                 {kRejectAfterMessages - 1, false},
                 {kRejectAfterMessages - 2, true},
                 {kRejectAfterMessages + 1, false},
                 {kRejectAfterMessages + 2, false},
                 {kRejectAfterMessages - 2, false},
                 {kRejectAfterMessages - 3, true},
                 {0, false}};
    for (const auto& c : cases) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(c.counter), c.accepted, w.accept(c.counter));
    }
  }

  void in_order() {
    Window w(1024);
    for (uint64_t counter = 0; counter < 5000; ++counter) {
      CPPUNIT_ASSERT(w.accept(counter));
      CPPUNIT_ASSERT(!w.accept(counter));
    }
  }

  void backwards() {
    for (const uint32_t packets : {1024u, 8192u, 65536u}) {
      Window w(packets);
      const uint64_t start = 1'000'000;
      for (uint64_t back = 0; back <= w.reach; ++back) CPPUNIT_ASSERT(w.accept(start - back));
      CPPUNIT_ASSERT(!w.accept(start - w.reach - 1));
      for (uint64_t back = 0; back <= w.reach; ++back) CPPUNIT_ASSERT(!w.accept(start - back));
    }
  }

  void edge_at_every_alignment() {
    for (uint64_t top = 100'000; top < 100'130; ++top) {
      Window w(1024);
      CPPUNIT_ASSERT(w.accept(top));
      CPPUNIT_ASSERT(w.accept(top - w.reach));
      CPPUNIT_ASSERT(!w.accept(top - w.reach));
      CPPUNIT_ASSERT(!w.accept(top - w.reach - 1));
      CPPUNIT_ASSERT(!w.accept(top));
    }
  }

  void jumps_clear_what_they_enter() {
    for (const uint64_t jump : {1ull, 63ull, 64ull, 65ull, 960ull, 1023ull, 1024ull, 1025ull,
                                4096ull, 1ull << 32, (1ull << 63) + 17}) {
      Window w(1024);
      for (uint64_t counter = 0; counter < 2000; ++counter) CPPUNIT_ASSERT(w.accept(counter));
      const uint64_t top = 1999 + jump;
      CPPUNIT_ASSERT(w.accept(top));
      for (uint64_t counter = top - w.reach; counter <= top; ++counter) {
        const bool is_new = counter >= 2000 && counter != top;
        CPPUNIT_ASSERT_EQUAL_MESSAGE("jump " + std::to_string(jump), is_new, w.accept(counter));
      }
    }
  }

  void end_of_counters() {
    Window w(65536);
    CPPUNIT_ASSERT(!w.accept(kRejectAfterMessages));
    CPPUNIT_ASSERT(!w.accept(UINT64_MAX));
    CPPUNIT_ASSERT(w.accept(0));  // the refused ones moved nothing
    CPPUNIT_ASSERT(w.accept(kRejectAfterMessages - 1));
    CPPUNIT_ASSERT(w.accept(kRejectAfterMessages - 1 - w.reach));
    CPPUNIT_ASSERT(!w.accept(kRejectAfterMessages - 1 - w.reach - 1));
    CPPUNIT_ASSERT(!w.accept(0));
    CPPUNIT_ASSERT(!w.accept(UINT64_MAX));
  }

  /// Random arrivals against a set of all that was accepted.
  void against_a_model() {
    Random random(42);
    Window w(1024);
    std::set<uint64_t> seen;
    uint64_t top = 0;
    for (int i = 0; i < 200'000; ++i) {
      const uint64_t step = random() % 1000 == 0 ? random() % 5000 : random() % 4;
      const uint64_t back = random() % 8 == 0 ? random() % 1200 : 0;
      const uint64_t counter = top + step >= back ? top + step - back : 0;
      const bool in_window = seen.empty() || counter + w.reach >= top;
      const bool expected = in_window && !seen.contains(counter);
      CPPUNIT_ASSERT_EQUAL(expected, w.accept(counter));
      if (!expected) continue;
      seen.insert(counter);
      top = std::max(top, counter);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReplayTest);

}  // namespace wirelay::test
