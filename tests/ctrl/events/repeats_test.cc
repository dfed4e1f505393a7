// Protects: that no flood of refusals, of one peer or of many strangers, fills the log, and that
// what is not told one by one is told by number.
#include "ctrl/events/repeats.h"

#include <map>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/events/peer_events.h"
#include "tests/support/recording_sink.h"

namespace wirelay::test {

using namespace ctrl::events;

namespace {

constexpr uint64_t kMoment = 1'000'000'000;

Event refused(const std::string& peer) {
  return {.kind = Kind::kRefused, .user = "alice", .peer = peer};
}

}  // namespace

class EventRepeatsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EventRepeatsTest);
  CPPUNIT_TEST(first_is_told_at_once_and_the_rest_by_number);
  CPPUNIT_TEST(what_does_not_repeat_is_told_once);
  CPPUNIT_TEST(many_that_differ_are_told_as_nobodys);
  CPPUNIT_TEST_SUITE_END();

 public:
  void first_is_told_at_once_and_the_rest_by_number() {
    repeats_.tick(kMoment);
    for (int i = 0; i < 1000; ++i) repeats_.tell(1, 0, refused("phone"));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sink_.told.size());
    repeats_.tick(kMoment + Repeats::kWindowNs - 1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, sink_.told.size());
    repeats_.tick(kMoment + Repeats::kWindowNs);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, sink_.told.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{999}, sink_.number(1, "times"));
    CPPUNIT_ASSERT_EQUAL(std::string("phone"), sink_.told[1].peer);
    repeats_.tell(1, 0, refused("phone"));  // a new window
    CPPUNIT_ASSERT_EQUAL(size_t{3}, sink_.told.size());
  }

  void what_does_not_repeat_is_told_once() {
    repeats_.tell(1, 0, refused("phone"));
    repeats_.tell(2, 0, refused("laptop"));
    repeats_.tick(kMoment);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, sink_.told.size());
  }

  void many_that_differ_are_told_as_nobodys() {
    constexpr uint64_t kCommon = 0;
    for (uint64_t key = 1; key <= 100'000; ++key) {
      repeats_.tell(key, kCommon, refused(std::to_string(key)));
    }
    CPPUNIT_ASSERT_EQUAL(Repeats::kMostKeys + 1, sink_.told.size());
    CPPUNIT_ASSERT_EQUAL(std::string(), sink_.told.back().peer);
    repeats_.tick(kMoment);
    CPPUNIT_ASSERT_EQUAL(Repeats::kMostKeys + 2, sink_.told.size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{100'000 - Repeats::kMostKeys - 1},
                         sink_.number(sink_.told.size() - 1, "times"));
    CPPUNIT_ASSERT_EQUAL(std::string(), sink_.told.back().peer);
  }

 private:
  RecordingSink sink_;
  Repeats repeats_{sink_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(EventRepeatsTest);

}  // namespace wirelay::test
