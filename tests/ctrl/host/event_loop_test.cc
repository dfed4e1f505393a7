// Protects the control thread's loop: repeated work goes on at the delay it asks for, signals are
// served, and an exception ends the loop instead of being lost in C code.
#include "ctrl/host/event_loop.h"

#include <stdexcept>

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
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventLoopTest);

}  // namespace
}  // namespace wirelay::ctrl
