// Protects who is served next: whoever asks little does not wait for whoever asks much.
#include "ctrl/api/turns.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl::api {

class TurnsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TurnsTest);
  CPPUNIT_TEST(of_equals_the_first_goes_first);
  CPPUNIT_TEST(whoever_had_less_goes_first);
  CPPUNIT_TEST(what_will_take_long_waits);
  CPPUNIT_TEST(nobody_saves_up);
  CPPUNIT_TEST(who_has_gone_is_not_served);
  CPPUNIT_TEST_SUITE_END();

  Turns turns_;
  Turn a_, b_, c_;

 public:
  void of_equals_the_first_goes_first() {
    for (Turn* turn : {&b_, &a_, &b_, &c_}) turns_.want(*turn);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next());
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next());
    CPPUNIT_ASSERT_EQUAL(&c_, turns_.next());
    CPPUNIT_ASSERT(turns_.empty() && turns_.next() == nullptr);
  }

  void whoever_had_less_goes_first() {
    a_.used_ns = 2000;
    b_.used_ns = 1000;
    turns_.want(a_);
    turns_.want(b_);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next());
    b_.used_ns += 5000;
    turns_.want(b_);
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next());
  }

  void what_will_take_long_waits() {
    a_.next_ns = 40'000'000;
    turns_.want(a_);
    turns_.want(b_);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next());
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next());  // in the end
  }

  /// Else whoever was silent for an hour could keep others out for as long.
  void nobody_saves_up() {
    a_.used_ns = 1'000'000;
    turns_.want(a_);
    CPPUNIT_ASSERT_EQUAL(&a_, turns_.next());
    turns_.want(b_);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'000'000}, b_.used_ns);
  }

  void who_has_gone_is_not_served() {
    turns_.want(a_);
    turns_.want(b_);
    turns_.forget(a_);
    CPPUNIT_ASSERT_EQUAL(&b_, turns_.next());
    CPPUNIT_ASSERT(turns_.next() == nullptr);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TurnsTest);

}  // namespace wirelay::ctrl::api
