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
  CPPUNIT_TEST(values_are_bounded);
  CPPUNIT_TEST(too_many_values_cost_no_more_than_the_bound);
  CPPUNIT_TEST(strictness);
  CPPUNIT_TEST(brackets_in_strings_and_comments_do_not_nest);
  CPPUNIT_TEST(comments_stand_anywhere);
  CPPUNIT_TEST(values_are_read_as_they_are);
  CPPUNIT_TEST(events_tell_what_they_were_read_from);
  CPPUNIT_TEST(written_on_one_line);
  CPPUNIT_TEST(reader_notes_every_problem);
  CPPUNIT_TEST(reader_suggests);
  CPPUNIT_TEST(descriptions_are_safe);
  CPPUNIT_TEST_SUITE_END();

 public:
  void errors_have_a_place() {
    CPPUNIT_ASSERT_EQUAL(std::string("2:6 expected ',' or '}'"),
                         error_of("{\"a\": 1\n     \"b\": 2}"));
    CPPUNIT_ASSERT_EQUAL(std::string("1:1 expected a value"), error_of(""));
    CPPUNIT_ASSERT_EQUAL(std::string("3:2 expected a key, in double quotes"),
                         error_of("{\"a\": 1,\r\n\n }"));
    CPPUNIT_ASSERT_EQUAL(std::string("1:10 the key \"a\" stands there twice"),
                         error_of("{\"a\": 1, \"\\u0061\": 2}"));
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

  void values_are_bounded() {
    const JsonLimits limits{.values = 4};
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of(R"({"a": [1, "b"]})", limits));
    CPPUNIT_ASSERT_EQUAL(std::string("1:16 more than 4 values"),
                         error_of(R"({"a": [1, "b", 2]})", limits));
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("[{\"a\":1,\"b\":2}]", limits));
  }

  void too_many_values_cost_no_more_than_the_bound() {
    std::string text = "[";
    for (int i = 0; i < 500'000; ++i) text += "0,";
    size_t events = 0;
    try {
      read_json_events(text, {}, [&](const JsonEvent&) { ++events; });
      CPPUNIT_FAIL("it was read");
    } catch (const JsonError& error) {
      CPPUNIT_ASSERT_EQUAL(std::string("more than 150000 values"), std::string(error.what()));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{150'000}, events);
  }

  void strictness() {
    for (const char* text : {"[01]",
                             "[+1]",
                             "[1.]",
                             "[.5]",
                             "[1e]",
                             "[--1]",
                             "[1e400]",
                             "[1e-400]",
                             "[\"\\ude00\"]",
                             "[\"\\ud83d\"]",
                             "[\"\xff\"]",
                             "[\"\xed\xa0\x80\"]",
                             "[\"\t\"]",
                             "[Infinity]",
                             "[1]]",
                             "[}",
                             "{\"a\": 1, \"a\": 2}",
                             "{} {}",
                             "[1,]",
                             "{'a': 1}",
                             "[NaN]",
                             "nul",
                             "// no\n1",
                             "[\"\\q\"]",
                             "[1 2]",
                             "{\"a\" 1}",
                             "\"open",
                             "[1e99999]"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !error_of(text).empty());
    }
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("/* a */ [1] // b", {.comments = true}));
  }

  void brackets_in_strings_and_comments_do_not_nest() {
    const JsonLimits limits{.depth = 1, .comments = true};
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of(R"(["[[\"[[", "\\"] // [[)", limits));
    CPPUNIT_ASSERT_EQUAL(std::string(), error_of("[ /* [[ */ 1]", limits));
  }

  void comments_stand_anywhere() {
    const JsonLimits limits{.comments = true};
    for (const char* text :
         {"[ // none\n]", "{ /* none */ }", "{\"users\": [ // none\n]}", "[//\n]",
          "{\"a\" // what\n : /* is */ 1 /* it */ , // and\n \"b\": 2}", "// begin\n1// end"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, std::string(), error_of(text, limits));
      CPPUNIT_ASSERT_MESSAGE(text, !error_of(text).empty());
    }
    CPPUNIT_ASSERT_EQUAL(std::string("1:5 a comment has no end"), error_of("1 /*", limits));
  }

  void values_are_read_as_they_are() {
    const Json::Value value = parse_json(
        "\xef\xbb\xbf [null, true, false, -0, -9223372036854775808, 18446744073709551615,"
        " 18446744073709551616, 0.1, -1.25E+2, \"\\u00e9\\uD83D\\ude00\\/\\u0000\", {\"\": {}}, "
        "[]]",
        {});
    CPPUNIT_ASSERT(value[0].isNull() && value[1] == true && value[2] == false);
    CPPUNIT_ASSERT(value[3] == 0 && value[3].isIntegral());
    CPPUNIT_ASSERT(value[4] == Json::Value(Json::Value::minInt64));
    CPPUNIT_ASSERT(value[5] == Json::Value(Json::Value::maxUInt64));
    CPPUNIT_ASSERT_EQUAL(18446744073709551616.0, value[6].asDouble());
    CPPUNIT_ASSERT(!value[6].isUInt64());
    CPPUNIT_ASSERT_EQUAL(0.1, value[7].asDouble());
    CPPUNIT_ASSERT_EQUAL(-125.0, value[8].asDouble());
    CPPUNIT_ASSERT_EQUAL(std::string("\xc3\xa9\xf0\x9f\x98\x80/\0", 8), value[9].asString());
    CPPUNIT_ASSERT(value[10].isObject() && value[10][""].isObject());
    CPPUNIT_ASSERT(value[11].isArray() && value[11].empty());
  }

  void events_tell_what_they_were_read_from() {
    std::string raw, said;
    const std::string text = R"( { "a\"" : [ "\\", "\"", -1.5e3 , true ] , "": null } )";
    read_json_events(text, {}, [&](const JsonEvent& event) {
      raw += std::to_string(event.depth) + std::string(event.raw) + ' ';
      said += event.text;
    });
    CPPUNIT_ASSERT_EQUAL(std::string(R"(0{ 1"a\"" 1[ 2"\\" 2"\"" 2-1.5e3 2true 1] 1"" 1null 0} )"),
                         raw);
    CPPUNIT_ASSERT_EQUAL(std::string("a\"\\\""), said);
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
