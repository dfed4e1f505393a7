// Protects who is served next: whoever asks little does not wait for whoever asks much, and nobody
// waits forever.
#include "ctrl/api/turns.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl::api {

class TurnsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TurnsTest);
  CPPUNIT_TEST(of_equals_the_first_goes_first);
  CPPUNIT_TEST(the_user_who_had_less_goes_first);
  CPPUNIT_TEST(many_connections_are_one_user);
  CPPUNIT_TEST(what_will_take_long_waits);
  CPPUNIT_TEST(what_takes_long_is_not_put_off_forever);
  CPPUNIT_TEST(nobody_saves_up);
  CPPUNIT_TEST(who_has_gone_is_not_served);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint64_t kNow = 1'000'000'000;
  Turns turns_;
  Turn a_{.user = 1}, b_{.user = 2}, c_{.user = 3};

 public:
  void of_equals_the_first_goes_first() {
    for (Turn* turn : {&b_, &a_, &b_, &c_}) turns_.want(*turn, kNow);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next(kNow));
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next(kNow));
    CPPUNIT_ASSERT_EQUAL(&c_, turns_.next(kNow));
    CPPUNIT_ASSERT(turns_.empty() && turns_.next(kNow) == nullptr);
  }

  void the_user_who_had_less_goes_first() {
    turns_.charge(1, 2000);
    turns_.charge(2, 1000);
    turns_.want(a_, kNow);
    turns_.want(b_, kNow);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next(kNow));
    turns_.charge(2, 5000);
    turns_.want(b_, kNow);
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next(kNow));
  }

  void many_connections_are_one_user() {
    turns_.charge(1, 2000);
    Turn another{.user = 1};
    turns_.want(another, kNow);
    turns_.want(b_, kNow);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next(kNow));
  }

  void what_will_take_long_waits() {
    a_.next_ns = 40'000'000;
    turns_.want(a_, kNow);
    turns_.want(b_, kNow);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next(kNow));
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next(kNow));  // in the end
  }

  /// However many short calls come, each on a connection of its own.
  void what_takes_long_is_not_put_off_forever() {
    a_.next_ns = 40'000'000;
    turns_.want(a_, kNow);
    int before = 0;
    for (;; ++before) {
      CPPUNIT_ASSERT(before < 1000);
      Turn brief{.user = 2};
      const uint64_t now = kNow + static_cast<uint64_t>(before) * 1'000'000;
      turns_.want(brief, now);
      const Turn* next = turns_.next(now);
      turns_.forget(brief);
      if (next == &a_) break;
    }
    CPPUNIT_ASSERT_EQUAL(200, before / 2 * 2);
  }

  /// Else whoever was silent for an hour could keep others out for as long.
  void nobody_saves_up() {
    turns_.charge(1, 1'000'000);
    turns_.want(a_, kNow);
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next(kNow));
    turns_.charge(1, 10);
    turns_.charge(2, 11);  // from the same level
    turns_.want(b_, kNow);
    turns_.want(a_, kNow);
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next(kNow));
  }

  void who_has_gone_is_not_served() {
    turns_.want(a_, kNow);
    turns_.want(b_, kNow);
    turns_.forget(a_);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next(kNow));
    CPPUNIT_ASSERT(turns_.next(kNow) == nullptr);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TurnsTest);

}  // namespace wirelay::ctrl::api
