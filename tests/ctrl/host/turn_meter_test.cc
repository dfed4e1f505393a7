// Protects the measuring of the control thread's turns: what a turn is, that waiting is none, that
// CPU time is the thread's own, and that the part that took longest gives its name.
#include "ctrl/host/turn_meter.h"

#include <string>
#include <thread>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/host/event_loop.h"

namespace wirelay::ctrl {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void burn(milliseconds cpu) {
  timespec now{};
  const auto used = [&] {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  const auto begin = used();
  while (used() - begin < cpu) {
  }
}

class TurnMeterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TurnMeterTest);
  CPPUNIT_TEST(cpu_time_is_the_threads_own);
  CPPUNIT_TEST(sleep_within_a_turn_is_no_cpu_time);
  CPPUNIT_TEST(the_longest_part_names_the_longest_turn);
  CPPUNIT_TEST(the_longest_since_asked);
  CPPUNIT_TEST(all_callbacks_of_a_look_are_one_turn);
  CPPUNIT_TEST(waiting_is_no_turn);
  CPPUNIT_TEST(posts_are_spread_over_turns);
  CPPUNIT_TEST_SUITE_END();

 public:
  void cpu_time_is_the_threads_own() {
    meter_.start();
    meter_.begin();
    std::thread([] { burn(milliseconds(30)); }).join();
    burn(milliseconds(3));
    meter_.end();
    const TurnStatus& seen = meter_.status();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, seen.turns);
    CPPUNIT_ASSERT(seen.longest_cpu_us >= 3'000 && seen.longest_cpu_us < 30'000);
    CPPUNIT_ASSERT(seen.longest_us >= 33'000 || std::thread::hardware_concurrency() > 1);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, seen.over_1_ms);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, seen.over_2_ms);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, seen.over_20_ms);
  }

  void sleep_within_a_turn_is_no_cpu_time() {
    meter_.start();
    meter_.begin();
    std::this_thread::sleep_for(milliseconds(30));
    meter_.end();
    CPPUNIT_ASSERT(meter_.status().longest_us >= 30'000);
    CPPUNIT_ASSERT(meter_.status().longest_cpu_us < 20'000);
  }

  void the_longest_part_names_the_longest_turn() {
    meter_.start();
    turn(milliseconds(1), milliseconds(30));
    CPPUNIT_ASSERT_EQUAL(std::string("second"), std::string(meter_.status().longest_part));
    turn(milliseconds(90), milliseconds(1));
    CPPUNIT_ASSERT_EQUAL(std::string("first"), std::string(meter_.status().longest_part));
    turn(milliseconds(0), milliseconds(1));
    CPPUNIT_ASSERT_EQUAL(std::string("first"), std::string(meter_.status().longest_part));
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, meter_.status().turns);
  }

  void the_longest_since_asked() {
    meter_.start();
    turn(milliseconds(5), milliseconds(0));
    CPPUNIT_ASSERT(meter_.take_longest().cpu >= milliseconds(5));
    turn(milliseconds(0), milliseconds(1));
    const TurnLength longest = meter_.take_longest();
    CPPUNIT_ASSERT(longest.cpu >= milliseconds(1));
    CPPUNIT_ASSERT_EQUAL(std::string("second"), std::string(longest.most));
    CPPUNIT_ASSERT(meter_.take_longest().cpu == milliseconds(0));
  }

  void all_callbacks_of_a_look_are_one_turn() {
    EventLoop loop;
    int left = 2;
    for (int i = 0; i < 2; ++i) {
      loop.repeat([&] {
        burn(milliseconds(2));
        if (--left == 0) loop.stop();
        return std::chrono::hours(1);
      });
    }
    loop.run();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, loop.meter().status().turns);
    CPPUNIT_ASSERT(loop.meter().status().longest_cpu_us >= 4'000);
  }

  void waiting_is_no_turn() {
    EventLoop loop;
    int turns = 0;
    loop.repeat([&] {
      if (++turns == 3) loop.stop();
      return milliseconds(40);
    });
    const auto begin = steady_clock::now();
    loop.run();
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, loop.meter().status().turns);
    const std::chrono::microseconds longest(loop.meter().status().longest_us);
    CPPUNIT_ASSERT(longest < steady_clock::now() - begin - milliseconds(70));  // it waited twice
  }

  /// However many threads post, and whatever is behind it: what repeats comes in between.
  void posts_are_spread_over_turns() {
    constexpr size_t kPosts = 10 * EventLoop::kPostsAtOnce;
    EventLoop loop;
    size_t done = 0, between = 0, most = 0;
    for (size_t i = 0; i < kPosts; ++i) {
      loop.post([&] {
        most = std::max(most, ++between);
        if (++done == kPosts) loop.stop();
      });
    }
    loop.repeat([&] {
      between = 0;
      return std::chrono::hours(1);
    });
    loop.run();
    CPPUNIT_ASSERT_EQUAL(kPosts, done);
    CPPUNIT_ASSERT(most <= EventLoop::kPostsAtOnce);
  }

 private:
  void turn(milliseconds first, milliseconds second) {
    meter_.begin();
    burn(first);
    meter_.mark("first");
    burn(second);
    meter_.mark("second");
    meter_.end();
  }

  TurnMeter meter_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(TurnMeterTest);

}  // namespace
}  // namespace wirelay::ctrl
