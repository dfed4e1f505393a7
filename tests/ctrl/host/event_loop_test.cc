// Protects the control thread's loop: repeated work goes on at the delay it asks for, signals are
// served, an exception ends the loop instead of being lost in C code, and what other threads post
// is done in order and at once.
#include "ctrl/host/event_loop.h"

#include <stdexcept>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <signal.h>

namespace wirelay::ctrl {

namespace {

using std::chrono::milliseconds;

class EventLoopTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventLoopTest);
  CPPUNIT_TEST(repeats_until_stopped);
  CPPUNIT_TEST(work_without_delay_lets_others_in);
  CPPUNIT_TEST(signals_are_served);
  CPPUNIT_TEST(exceptions_come_out);
  CPPUNIT_TEST(posts_of_other_threads_keep_their_order);
  CPPUNIT_TEST(a_post_hurries_what_repeats);
  CPPUNIT_TEST(posts_without_end_keep_nothing_waiting);
  CPPUNIT_TEST(exceptions_of_posts_come_out);
  CPPUNIT_TEST_SUITE_END();

 public:
  void repeats_until_stopped() {
    EventLoop loop;
    int turns = 0;
    loop.repeat([&] {
      if (++turns == 3) loop.stop();
      return milliseconds(1);
    });
    loop.run();
    CPPUNIT_ASSERT_EQUAL(3, turns);
  }

  void work_without_delay_lets_others_in() {
    EventLoop loop;
    int busy = 0;
    loop.repeat([&] {
      ++busy;
      return milliseconds(0);
    });
    int other = 0;
    loop.repeat([&] {
      if (++other == 3) loop.stop();
      return milliseconds(1);
    });
    loop.run();
    CPPUNIT_ASSERT(busy > 0);
  }

  void signals_are_served() {
    EventLoop loop;
    int seen = 0;
    loop.on_signal(SIGUSR1, [&] {
      if (++seen == 2) return loop.stop();
      raise(SIGUSR1);
    });
    raise(SIGUSR1);
    loop.run();
    CPPUNIT_ASSERT_EQUAL(2, seen);
  }

  void exceptions_come_out() {
    EventLoop loop;
    loop.repeat([]() -> milliseconds { throw std::runtime_error("out of everything"); });
    CPPUNIT_ASSERT_THROW(loop.run(), std::runtime_error);
  }

  void posts_of_other_threads_keep_their_order() {
    constexpr int kEach = 10'000;
    EventLoop loop;
    std::vector<int> seen[2];
    const auto poster = [&](int who) {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, who, i] {
          seen[who].push_back(i);
          if (seen[0].size() + seen[1].size() == 2 * kEach) loop.stop();
        });
      }
    };
    std::thread first(poster, 0), second(poster, 1);
    loop.run();
    first.join();
    second.join();
    for (const auto& list : seen) {
      CPPUNIT_ASSERT_EQUAL(size_t{kEach}, list.size());
      for (int i = 0; i < kEach; ++i) CPPUNIT_ASSERT_EQUAL(i, list[static_cast<size_t>(i)]);
    }
  }

  void a_post_hurries_what_repeats() {
    EventLoop loop;
    int turns = 0;
    loop.repeat([&] {
      if (++turns == 2) loop.stop();
      if (turns == 1) loop.post([] {});
      return std::chrono::hours(1);
    });
    loop.run();
    CPPUNIT_ASSERT_EQUAL(2, turns);
  }

  void posts_without_end_keep_nothing_waiting() {
    EventLoop loop;
    int posts = 0, turns = 0;
    std::function<void()> again = [&] {
      if (++posts == 100) return loop.stop();
      loop.post(again);
    };
    loop.post(again);
    loop.repeat([&] {
      ++turns;
      return std::chrono::hours(1);
    });
    loop.run();
    CPPUNIT_ASSERT(turns >= 99);
  }

  void exceptions_of_posts_come_out() {
    EventLoop loop;
    loop.post([] { throw std::runtime_error("out of everything"); });
    CPPUNIT_ASSERT_THROW(loop.run(), std::runtime_error);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventLoopTest);

}  // namespace
}  // namespace wirelay::ctrl
