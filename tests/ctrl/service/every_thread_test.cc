// Protects what all threads of a process must do: each does it, once, those that sleep, those that
// block signals but this one, and none that came too late to be missed.
#include "ctrl/service/every_thread.h"

#include <atomic>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <pthread.h>

#include "ctrl/base/every_thread_signal.h"

namespace wirelay::ctrl {

namespace {

std::atomic<unsigned> g_calls{0};
thread_local unsigned g_own_calls = 0;

void note_call() noexcept {
  g_calls.fetch_add(1);
  ++g_own_calls;
}

class EveryThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EveryThreadTest);
  CPPUNIT_TEST(each_does_it_once);
  CPPUNIT_TEST(a_thread_that_does_not_listen_is_told_of);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { g_calls = 0; }

  void each_does_it_once() {
    constexpr unsigned kThreads = 20;
    std::atomic<bool> end{false};
    std::atomic<unsigned> ready{0}, once{0};
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        if (i % 2 != 0) block_all_signals_but({every_thread_signal()});
        ready.fetch_add(1);
        while (!end) poll(nullptr, 0, i % 3 == 0 ? 1 : 100);
        if (g_own_calls == 1) once.fetch_add(1);
      });
    }
    while (ready != kThreads) std::this_thread::yield();
    g_own_calls = 0;
    CPPUNIT_ASSERT(on_every_thread(note_call));
    CPPUNIT_ASSERT_EQUAL(1u, g_own_calls);
    CPPUNIT_ASSERT(g_calls >= kThreads + 1);
    end = true;
    threads.clear();
    CPPUNIT_ASSERT_EQUAL(kThreads, once.load());
  }

  void a_thread_that_does_not_listen_is_told_of() {
    std::atomic<bool> ready{false}, end{false};
    std::jthread deaf([&] {
      block_all_signals_but({});
      ready = true;
      while (!end) poll(nullptr, 0, 1);
    });
    while (!ready) std::this_thread::yield();
    CPPUNIT_ASSERT(!on_every_thread(note_call, std::chrono::milliseconds(50)));
    end = true;
  }

 private:
  static void block_all_signals_but(std::initializer_list<int> open) {
    sigset_t set;
    sigfillset(&set);
    for (const int signal : open) sigdelset(&set, signal);
    pthread_sigmask(SIG_SETMASK, &set, nullptr);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EveryThreadTest);

}  // namespace
}  // namespace wirelay::ctrl
