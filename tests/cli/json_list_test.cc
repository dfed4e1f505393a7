// Protects what is cut out of a file of many entries: all of it, unchanged but for blanks and
// comments, and only from a text without a mistake.
#include "cli/json_list.h"

#include <cppunit/extensions/HelperMacros.h>

#include "cli/errors.h"

namespace wirelay::cli {

class JsonListTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonListTest);
  CPPUNIT_TEST(entries_are_kept_as_they_are_written);
  CPPUNIT_TEST(other_members_are_passed_over);
  CPPUNIT_TEST(mistakes_are_told_with_their_place);
  CPPUNIT_TEST(keys_stand_once_in_an_object);
  CPPUNIT_TEST(strings_are_checked);
  CPPUNIT_TEST(numbers_are_checked);
  CPPUNIT_TEST(entries_and_depth_are_bounded);
  CPPUNIT_TEST_SUITE_END();

  static constexpr size_t kMost = 1000;

  static std::string all(const std::string& text) {
    const JsonList list(text, "users", kMost);
    return std::string(list.text(0, list.size()));
  }
  static std::string mistake(const std::string& text) {
    try {
      all(text);
    } catch (const Failure& failure) {
      return failure.what();
    }
    return "none";
  }
  static void wrong(const std::string& text, const std::string& told) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(text, told, mistake(text));
  }
  static void right(const std::string& entry) {
    CPPUNIT_ASSERT_EQUAL(entry, all('[' + entry + ']'));
  }

 public:
  void entries_are_kept_as_they_are_written() {
    const JsonList list(" [ { \"a\" : [ 1 , 2.50 ] } , // one\n \"b c\" , /* two */ null , {} ] ",
                        "users", kMost);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, list.size());
    const auto text = [&](size_t begin, size_t end) { return std::string(list.text(begin, end)); };
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":[1,2.50]},"b c",null,{})"), text(0, 4));
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":[1,2.50]})"), text(0, 1));
    CPPUNIT_ASSERT_EQUAL(std::string(R"("b c",null)"), text(1, 3));
    CPPUNIT_ASSERT_EQUAL(std::string(), text(2, 2));
  }

  void other_members_are_passed_over() {
    const std::string text =
        "\xef\xbb\xbf{\"peers\": [1, {\"users\": [2]}], \"users\": [3, 4], \"x\": {}}";
    CPPUNIT_ASSERT_EQUAL(std::string("3,4"), all(text));
    CPPUNIT_ASSERT_EQUAL(std::string(), all("{\"peers\": [1]}"));
    CPPUNIT_ASSERT_EQUAL(std::string(), all("[]"));
    wrong("{\"peers\": [1,], \"users\": [2]}", "line 1, column 14: expected a value");
    wrong("{\"users\": [2], \"peers\": [1,]}", "line 1, column 28: expected a value");
  }

  void mistakes_are_told_with_their_place() {
    wrong("", "line 1, column 1: expected a value");
    wrong("1", "line 1, column 1: \"users\" is not a list");
    wrong("{\"users\": 1}", "line 1, column 11: \"users\" is not a list");
    wrong("[1\n, 2", "line 2, column 4: expected ',' or ']'");
    wrong("[{\"a\": 1", "line 1, column 9: expected ',' or '}'");
    wrong("[{\"a\" 1}]", "line 1, column 7: expected ':'");
    wrong("[{\"a\": 1,}]", "line 1, column 10: expected a key, in double quotes");
    wrong("[{a: 1}]", "line 1, column 3: expected a key, in double quotes");
    wrong("[1] x", "line 1, column 5: something stands behind the value");
    wrong(std::string("[1]\0", 4), "line 1, column 4: a NUL character");
    wrong("[1, /* ", "line 1, column 8: a comment has no end");
    wrong("[1, / 2]", "line 1, column 6: expected a value");
    wrong("[True]", "line 1, column 2: expected a value");
  }

  void keys_stand_once_in_an_object() {
    right(R"({"a":{"a":1,"b":{"a":2}},"b":{"a":3}})");
    wrong("[{\"b\": 1, \"a\": 1,\n\"b\": 2}]",
          "line 2, column 1: the key \"b\" stands there twice");
    wrong(R"([{"a": {"b": {}, "b": {}}}])", "line 1, column 18: the key \"b\" stands there twice");
    wrong(R"([{"a": 1, "\u0061": 2}])", "line 1, column 11: the key \"a\" stands there twice");
    wrong(R"({"users": [], "users": []})",
          "line 1, column 15: the key \"users\" stands there twice");
  }

  void strings_are_checked() {
    right(R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00")");
    right("\"\xc3\xa9\x7f\"");
    wrong("[\"a", "line 1, column 4: a string has no end");
    wrong("[\"a\nb\"]", "line 1, column 4: a control character in a string");
    wrong("[\"a\\", "line 1, column 4: there is no such escape");
    wrong("[\"a\tb\"]", "line 1, column 4: a control character in a string");
    wrong(std::string("[\"a\0b\"]", 7), "line 1, column 4: a NUL character");
    wrong(R"(["a\x"])", "line 1, column 4: there is no such escape");
    for (const char* four : {"", "123", "12g4", "-123", "+123", " 123", "0x12"}) {
      wrong(std::string("[\"\\u") + four + "\"]",
            "line 1, column 3: expected \\u and four hexadecimal digits");
    }
    for (const char* half : {R"(\ud83d)", R"(\ud83d\u0041)", R"(\ud83dx)"}) {
      wrong(std::string("[\"") + half + "\"]", "line 1, column 3: half of a surrogate pair");
    }
    wrong(R"(["\ude00"])", "line 1, column 2: half of a surrogate pair");
    wrong("[\"a\xff\"]", "line 1, column 4: not UTF-8");
  }

  void numbers_are_checked() {
    for (const char* number : {"0", "-0", "10", "0.5", "-1.25e10", "1E+5", "1e-5",
                               "99999999999999999999", "1.7976931348623157e308"}) {
      right(number);
    }
    for (const char* number : {"01", "-", "+1", "1.", ".5", "1e", "1e+", "--1", "1.2.3", "0x1",
                               "1e5.", "Infinity", "NaN", "-Infinity"}) {
      CPPUNIT_ASSERT_MESSAGE(number, mistake(std::string("[") + number + "]") != "none");
    }
    wrong("[1e999]", "line 1, column 2: a number out of range");
    wrong("[1e-999]", "line 1, column 2: a number out of range");
  }

  void entries_and_depth_are_bounded() {
    const std::string fits = '"' + std::string(kMost - 2, 'x') + '"';
    right(fits);
    wrong("{\"users\": [1,\n  [ " + fits + "]]}",
          "line 2, column 3: entry 2 of \"users\" has 1,002 bytes, and a request takes 1,000");
    right(std::string(29, '[') + std::string(29, ']'));
    wrong(std::string(100'000, '['), "line 1, column 31: nested deeper than 30 levels");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(JsonListTest);

}  // namespace wirelay::cli
