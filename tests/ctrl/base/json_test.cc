// Protects what reads JSON from outside: nothing too large or too deep is believed, errors lead to
// their line and column, and messages name the field, what was found and what is expected.
#include "ctrl/base/json.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/closest_word.h"
#include "ctrl/base/json_reader.h"

namespace wirelay::ctrl {

namespace {

/// "line:column message" of the error that `text` gives; empty when it is accepted.
std::string error_of(const std::string& text, const JsonLimits& limits = {}) {
  try {
    parse_json(text, limits);
    return "";
  } catch (const JsonError& e) {
    return std::to_string(e.line) + ':' + std::to_string(e.column) + ' ' + e.what();
  }
}

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

class JsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonTest);
  CPPUNIT_TEST(errors_have_a_place);
  CPPUNIT_TEST(depth_is_bounded);
  CPPUNIT_TEST(size_is_bounded);
  CPPUNIT_TEST(strictness);
  CPPUNIT_TEST(brackets_in_strings_and_comments_do_not_nest);
  CPPUNIT_TEST(written_on_one_line);
  CPPUNIT_TEST(reader_notes_every_problem);
  CPPUNIT_TEST(reader_suggests);
  CPPUNIT_TEST(descriptions_are_safe);
  CPPUNIT_TEST_SUITE_END();

 public:
  void errors_have_a_place() {
    CPPUNIT_ASSERT_EQUAL(std::string("2:6 Missing ',' or '}' in object declaration"),
                         error_of("{\"a\": 1\n     \"b\": 2}"));
    CPPUNIT_ASSERT(error_of("").starts_with("1:1 "));
    CPPUNIT_ASSERT(error_of("{\"a\": 1").starts_with("1:8 "));
  }

  void depth_is_bounded() {
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of(nested(32)));
    CPPUNIT_ASSERT_EQUAL(std::string("1:33 nested deeper than 32 levels"), error_of(nested(33)));
    // Far beyond what a recursive reader's stack would hold.
    CPPUNIT_ASSERT(error_of(std::string(1'000'000, '[')).find("deeper") != std::string::npos);
  }

  void size_is_bounded() {
    const JsonLimits limits{.bytes = 4};
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("1234", limits));
    CPPUNIT_ASSERT_EQUAL(std::string("1:1 longer than 4 bytes"), error_of("12345", limits));
  }

  void strictness() {
    for (const char* text :
         {"{\"a\": 1, \"a\": 2}", "{} {}", "[1,]", "{'a': 1}", "[NaN]", "nul", "// no\n1",
          "[\"\\q\"]", "[1 2]", "{\"a\" 1}", "\"open", "[1e99999]"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !error_of(text).empty());
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("/* a */ [1] // b", {.comments = true}));
  }

  void brackets_in_strings_and_comments_do_not_nest() {
    const JsonLimits limits{.depth = 1, .comments = true};
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of(R"(["[[\"[[", "\\"] // [[)", limits));
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("[ /* [[ */ 1]", limits));
  }

  void written_on_one_line() {
    Json::Value value;
    value["text"] = "two\nlines";
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"text":"two\nlines"})"), write_json(value));
  }

  void reader_notes_every_problem() {
    const Json::Value value = parse_json(
        R"({"mtu": 99, "up": "yes", "name": 3, "list": {}, "numbers": ["a", 1], "big": -1,
            "half": 1.5})",
        {});
    std::vector<Problem> problems;
    ObjectReader reader(value, "ports[1]", problems);
    CPPUNIT_ASSERT(!reader.number("mtu", 576, 9000));
    CPPUNIT_ASSERT(!reader.boolean("up"));
    CPPUNIT_ASSERT(!reader.text("name"));
    CPPUNIT_ASSERT(reader.list("list") == nullptr);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, reader.texts("numbers").size());
    CPPUNIT_ASSERT(!reader.number("big", 0, 10));
    CPPUNIT_ASSERT(!reader.number("half", 0, 10));
    CPPUNIT_ASSERT(!reader.require("absent", "a thing"));
    reader.finish();
    const std::vector<std::pair<std::string, std::string>> expected_problems = {
        {"ports[1].mtu", "found 99, expected a whole number from 576 to 9000"},
        {"ports[1].up", "found \"yes\", expected true or false"},
        {"ports[1].name", "found 3, expected a text"},
        {"ports[1].list", "found an object, expected a list"},
        {"ports[1].numbers[1]", "found 1, expected a text"},
        {"ports[1].big", "found -1, expected a whole number from 0 to 10"},
        {"ports[1].half", "found 1.5, expected a whole number from 0 to 10"},
        {"ports[1].absent", "missing, expected a thing"},
    };
    CPPUNIT_ASSERT_EQUAL(expected_problems.size(), problems.size());
    for (size_t i = 0; i < problems.size(); ++i) {
      CPPUNIT_ASSERT_EQUAL(expected_problems[i].first, problems[i].path);
      CPPUNIT_ASSERT_EQUAL(expected_problems[i].second, problems[i].message);
    }
  }

  void reader_suggests() {
    const Json::Value value = parse_json(R"({"adresses": 1, "zebra": 2})", {});
    std::vector<Problem> problems;
    ObjectReader reader(value, "", problems);
    reader.any("addresses");
    reader.any("mtu");
    reader.finish();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, problems.size());
    CPPUNIT_ASSERT_EQUAL(std::string("unknown field; did you mean \"addresses\"?"),
                         problems[0].message);
    CPPUNIT_ASSERT_EQUAL(std::string("unknown field; known here: addresses, mtu"),
                         problems[1].message);
    const std::array<std::string_view, 2> names = {"user.add", "peer.add"};
    CPPUNIT_ASSERT(did_you_mean("uesr.add", names) == "user.add");
    CPPUNIT_ASSERT(!did_you_mean("x", names));
  }

  void descriptions_are_safe() {
    CPPUNIT_ASSERT_EQUAL(std::string("\"a\\x0ab\""), in_quotes("a\nb"));
    CPPUNIT_ASSERT(in_quotes(std::string(5000, 'x')).size() < 100);
    std::vector<Problem> problems;
    ObjectReader reader(Json::Value(7), "params", problems);
    CPPUNIT_ASSERT(!reader.require("name", "a name"));
    reader.finish();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, problems.size());
    CPPUNIT_ASSERT_EQUAL(std::string("found 7, expected an object"), problems[0].message);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JsonTest);

}  // namespace
}  // namespace wirelay::ctrl
