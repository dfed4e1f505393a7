// Protects the promise that nothing is reused while a worker may still look at it, and that
// whatever waits for workers never waits for one that is offline.
#include "dataplane/rcu.h"

#include <vector>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::dataplane {

namespace {

class RcuTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RcuTest);
  CPPUNIT_TEST(runs_at_once_when_nobody_is_online);
  CPPUNIT_TEST(waits_for_every_online_worker);
  CPPUNIT_TEST(a_quiescent_state_before_does_not_count);
  CPPUNIT_TEST(does_not_wait_for_who_is_offline);
  CPPUNIT_TEST(does_not_wait_for_who_comes_later);
  CPPUNIT_TEST(keeps_order_and_limit);
  CPPUNIT_TEST(deferred_work_may_defer);
  CPPUNIT_TEST(does_not_run_what_is_left);
  CPPUNIT_TEST_SUITE_END();

  int runs_ = 0;

  void count(Rcu& rcu) {
    rcu.defer([this] { ++runs_; });
  }

  void runs_at_once_when_nobody_is_online() {
    Rcu rcu(2);
    count(rcu);
    CPPUNIT_ASSERT_EQUAL(0, runs_);  // never from defer() itself
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, runs_);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, rcu.pending());
  }

  void waits_for_every_online_worker() {
    Rcu rcu(2);
    rcu.online(0);
    rcu.online(1);
    count(rcu);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0, runs_);
    rcu.quiescent(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0, runs_);
    rcu.quiescent(1);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, runs_);
  }

  void a_quiescent_state_before_does_not_count() {
    Rcu rcu(1);
    rcu.online(0);
    rcu.quiescent(0);
    count(rcu);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0, runs_);
  }

  void does_not_wait_for_who_is_offline() {
    Rcu rcu(2);
    rcu.online(0);
    rcu.online(1);
    count(rcu);
    rcu.quiescent(0);
    rcu.offline(1);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, runs_);
  }

  void does_not_wait_for_who_comes_later() {
    Rcu rcu(1);
    count(rcu);
    rcu.online(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, runs_);
  }

  void keeps_order_and_limit() {
    Rcu rcu(1);
    std::vector<int> order;
    for (int i = 0; i < 5; ++i) rcu.defer([&order, i] { order.push_back(i); });
    rcu.poll(3);
    CPPUNIT_ASSERT((order == std::vector{0, 1, 2}));
    CPPUNIT_ASSERT_EQUAL(size_t{2}, rcu.pending());
    rcu.poll(3);
    CPPUNIT_ASSERT((order == std::vector{0, 1, 2, 3, 4}));
  }

  void deferred_work_may_defer() {
    Rcu rcu(1);
    rcu.online(0);
    rcu.defer([&] { count(rcu); });
    rcu.quiescent(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(0, runs_);  // a grace period of its own
    rcu.quiescent(0);
    rcu.poll();
    CPPUNIT_ASSERT_EQUAL(1, runs_);
  }

  void does_not_run_what_is_left() {
    {
      Rcu rcu(1);
      count(rcu);
    }
    CPPUNIT_ASSERT_EQUAL(0, runs_);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RcuTest);

}  // namespace

}  // namespace wirelay::dataplane
