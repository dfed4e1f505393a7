// Protects what is told of how much of the relay is in use: means of the last seconds, by the clock
// that workers count by.
#include "ctrl/host/load_meter.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

class LoadMeterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LoadMeterTest);
  CPPUNIT_TEST(nothing_is_known_at_first);
  CPPUNIT_TEST(the_busiest_worker_counts);
  CPPUNIT_TEST(old_seconds_are_forgotten);
  CPPUNIT_TEST(queues_where_drivers_tell);
  CPPUNIT_TEST(how_long_packets_take);
  CPPUNIT_TEST_SUITE_END();

 public:
  void nothing_is_known_at_first() {
    CPPUNIT_ASSERT(!load_.known());
    second();
    CPPUNIT_ASSERT(!load_.known());
    second();
    CPPUNIT_ASSERT(load_.known());
    CPPUNIT_ASSERT_EQUAL(0.0, load_.busiest());
    CPPUNIT_ASSERT(!load_.times());
  }

  void the_busiest_worker_counts() {
    second();
    workers_[0].busy_cycles.add(kHz / 4);
    workers_[1].busy_cycles.add(kHz / 2);
    second();
    CPPUNIT_ASSERT_EQUAL(0.5, load_.busiest());
    CPPUNIT_ASSERT_EQUAL(0.25, load_.workers()[0].busy);
  }

  void old_seconds_are_forgotten() {
    second();
    workers_[0].busy_cycles.add(kHz);
    for (size_t i = 0; i < LoadMeter::kSeconds; ++i) second();
    CPPUNIT_ASSERT_EQUAL(0.2, load_.busiest());
    second();
    CPPUNIT_ASSERT_EQUAL(0.0, load_.busiest());
  }

  void queues_where_drivers_tell() {
    second();
    workers_[0].bursts.add(4);
    workers_[0].full_bursts.add(1);
    workers_[1].queue_looks.add(2);
    workers_[1].queued.add(96);
    second();
    CPPUNIT_ASSERT_EQUAL(0.25, load_.workers()[0].full_bursts);
    CPPUNIT_ASSERT(!load_.workers()[0].queued);
    CPPUNIT_ASSERT_EQUAL(48.0, *load_.workers()[1].queued);
  }

  void how_long_packets_take() {
    second();
    workers_[0].time.add(1'500, 50);  // between 1,024 and 2,048 ns
    workers_[1].time.add(100, 50);    // less than 256
    second();
    CPPUNIT_ASSERT_EQUAL(256.0, load_.times()->p50);
    CPPUNIT_ASSERT(load_.times()->p99 > 2'000 && load_.times()->p99 < 2'048);
    for (size_t i = 0; i < LoadMeter::kSeconds; ++i) second();
    CPPUNIT_ASSERT(!load_.times());
    workers_[0].time.add(uint64_t{1} << 50, 1);
    second();
    CPPUNIT_ASSERT(load_.times()->p50 > 1e7);  // the last bucket
  }

 private:
  static constexpr uint64_t kHz = 1'000'000;
  void second() { load_.tick(tsc_ += kHz); }

  dataplane::WorkerCounters workers_[2];
  LoadMeter load_{{&workers_[0], &workers_[1]}};
  uint64_t tsc_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LoadMeterTest);

}  // namespace wirelay::ctrl
