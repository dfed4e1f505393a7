// Protects where threads beside workers and control run: on cores of their own where there are any,
// and never on the core of a worker that does not sleep.
#include "ctrl/host/side_thread.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

class SideThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SideThreadTest);
  CPPUNIT_TEST(workers_that_poll_busily_are_left_alone);
  CPPUNIT_TEST(workers_that_sleep_share);
  CPPUNIT_TEST(a_single_core_is_shared_by_all);
  CPPUNIT_TEST_SUITE_END();

  using Cores = std::vector<unsigned>;
  static Config config(Cores workers, unsigned control, dataplane::Polling polling) {
    Config made;
    made.worker_cores = std::move(workers);
    made.control_core = control;
    made.polling = polling;
    return made;
  }

 public:
  void workers_that_poll_busily_are_left_alone() {
    const Config busy = config({1, 2}, 0, dataplane::Polling::kBusy);
    CPPUNIT_ASSERT(side_cores(busy, {0, 1, 2, 3, 4}) == (Cores{3, 4}));
    CPPUNIT_ASSERT(side_cores(busy, {0, 1, 2}) == Cores{0});
  }

  void workers_that_sleep_share() {
    const Config adaptive = config({1}, 0, dataplane::Polling::kAdaptive);
    CPPUNIT_ASSERT(side_cores(adaptive, {0, 1}) == (Cores{0, 1}));
    CPPUNIT_ASSERT(side_cores(adaptive, {0, 1, 2}) == Cores{2});
  }

  void a_single_core_is_shared_by_all() {
    CPPUNIT_ASSERT(side_cores(config({0}, 0, dataplane::Polling::kAdaptive), {0}) == Cores{0});
    CPPUNIT_ASSERT(side_cores(config({0}, 0, dataplane::Polling::kBusy), {0}) == Cores{0});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SideThreadTest);

}  // namespace wirelay::ctrl
