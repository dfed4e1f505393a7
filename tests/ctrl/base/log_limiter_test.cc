// Protects the log from floods: what strangers can repeat is printed once and then summed up.
#include "ctrl/base/log_limiter.h"

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

class LogLimiterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LogLimiterTest);
  CPPUNIT_TEST(first_is_printed_and_the_rest_summed_up);
  CPPUNIT_TEST(nothing_is_left_untold_at_the_end);
  CPPUNIT_TEST(keys_are_apart);
  CPPUNIT_TEST(text_is_made_only_when_printed);
  CPPUNIT_TEST(keys_are_bounded);
  CPPUNIT_TEST_SUITE_END();

 public:
  void first_is_printed_and_the_rest_summed_up() {
    note("full", 0);
    for (int i = 0; i < 41; ++i) note("full", kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lines_.size());
    limiter_.flush(9 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lines_.size());
    limiter_.flush(10 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lines_.size());
    CPPUNIT_ASSERT_EQUAL(std::string("41 more in 10 s like: event full"), lines_[1]);
    limiter_.flush(30 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lines_.size());
    // A window that ended unflushed is summed up before the next begins.
    note("full", 40 * kSecond);
    note("full", 41 * kSecond);
    note("full", 60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{5}, lines_.size());
    CPPUNIT_ASSERT_EQUAL(std::string("1 more in 20 s like: event full"), lines_[3]);
  }

  void nothing_is_left_untold_at_the_end() {
    for (int i = 0; i < 3; ++i) note("full", kSecond);
    note("once", kSecond);
    limiter_.finish(3 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, lines_.size());
    CPPUNIT_ASSERT_EQUAL(std::string("2 more in 2 s like: event full"), lines_[2]);
    limiter_.finish(4 * kSecond);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, lines_.size());
  }

  void keys_are_apart() {
    note("a", 0);
    note("b", 0);
    note("a", 1);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, lines_.size());
  }

  void text_is_made_only_when_printed() {
    for (int i = 0; i < 100; ++i) note("flood", 5);
    CPPUNIT_ASSERT_EQUAL(1, made_);
  }

  void keys_are_bounded() {
    for (size_t i = 0; i < 2 * LogLimiter::kMaxKeys; ++i) note("key " + std::to_string(i), 0);
    CPPUNIT_ASSERT_EQUAL(LogLimiter::kMaxKeys + 1, lines_.size());
  }

 private:
  void note(const std::string& key, uint64_t now_ns) {
    limiter_.note(LogLevel::kInfo, key, now_ns, [&] {
      ++made_;
      return "event " + key;
    });
  }
  int made_ = 0;
  std::vector<std::string> lines_;
  LogLimiter limiter_{[this](LogLevel, const std::string& text) { lines_.push_back(text); }};
};

CPPUNIT_TEST_SUITE_REGISTRATION(LogLimiterTest);

}  // namespace
}  // namespace wirelay::ctrl
