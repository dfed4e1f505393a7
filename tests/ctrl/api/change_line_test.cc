// Protects what the log tells of changes: who, what and with what end, and no value of theirs.
#include "ctrl/api/change_line.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl::api {

class ChangeLineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ChangeLineTest);
  CPPUNIT_TEST(it_says_who_asked_for_what_and_what_came_of_it);
  CPPUNIT_TEST(a_refusal_names_the_place_and_no_value);
  CPPUNIT_TEST(many_names_are_counted);
  CPPUNIT_TEST(a_name_breaks_no_line);
  CPPUNIT_TEST_SUITE_END();

  static constexpr Caller kCaller{1000, 100, 4711};
  static Step remove(const std::string& name) { return {RemoveUser{name}, "params"}; }
  static std::string line(const std::vector<Step>& steps, const std::exception_ptr& error = nullptr,
                          const ChangeCounts& counts = {}) {
    return ChangeLine(kCaller, "user.remove", steps).text(error, counts);
  }

 public:
  void it_says_who_asked_for_what_and_what_came_of_it() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("API: user 1000 (group 100, process 4711) asked for user.remove \"alice\": "
                    "users: 0 added, 0 changed, 1 removed; peers: 0 added, 0 changed, 2 removed"),
        line({remove("alice")}, nullptr, {.users_removed = 1, .peers_removed = 2}));
  }

  void a_refusal_names_the_place_and_no_value() {
    const auto refused =
        std::make_exception_ptr(Refused("params.users[0].name", "found \"s3cret\""));
    const std::string text = line({remove("alice")}, refused);
    CPPUNIT_ASSERT_MESSAGE(text, text.ends_with("refused, the first of 1 problems in "
                                                "params.users[0].name"));
    const auto failed = std::make_exception_ptr(std::runtime_error("the table is full"));
    CPPUNIT_ASSERT(line({remove("alice")}, failed).ends_with("failed: the table is full"));
  }

  void many_names_are_counted() {
    const std::string text =
        line({remove("a"), remove("b"), remove("c"), remove("d"), remove("e")});
    CPPUNIT_ASSERT_MESSAGE(
        text, text.find("user.remove \"a\", \"b\", \"c\" and 2 more: ") != std::string::npos);
  }

  void a_name_breaks_no_line() {
    const std::string text = line({remove("a\nAPI: user 0 asked"), remove(std::string(5000, 'x'))});
    CPPUNIT_ASSERT_EQUAL(std::string::npos, text.find('\n'));
    CPPUNIT_ASSERT(text.size() < 1000);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ChangeLineTest);

}  // namespace wirelay::ctrl::api
