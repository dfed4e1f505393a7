// Protects the values of fields that are texts: each form reads what it writes, and refuses what it
// does not mean, such as a day that no month has.
#include "ctrl/base/field_kind.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/user_fields.h"

namespace wirelay::ctrl {

namespace {

class FieldKindTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FieldKindTest);
  CPPUNIT_TEST(moments);
  CPPUNIT_TEST(dates);
  CPPUNIT_TEST(periods);
  CPPUNIT_TEST(zones);
  CPPUNIT_TEST(words);
  CPPUNIT_TEST(groups);
  CPPUNIT_TEST(the_default_has_a_text);
  CPPUNIT_TEST_SUITE_END();

  static void reads(const FieldKind& kind, const std::string& text, uint64_t value,
                    const std::string& back) {
    std::string message;
    const auto read = parse_value(text, kind, message);
    CPPUNIT_ASSERT_MESSAGE(text + ": " + message, read.has_value());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(text, value, *read);
    CPPUNIT_ASSERT_EQUAL(back, value_json(*read, kind).asString());
  }
  static void reads(const FieldKind& kind, const std::string& text, uint64_t value) {
    reads(kind, text, value, text);
  }
  static void refuses(const FieldKind& kind, std::initializer_list<const char*> texts) {
    for (const char* text : texts) {
      std::string message;
      CPPUNIT_ASSERT_MESSAGE(text, !parse_value(text, kind, message));
      CPPUNIT_ASSERT(!message.empty());
    }
  }

 public:
  void moments() {
    reads(kMoment, "2027-01-31T00:00:00Z", 1'801'353'600);
    reads(kMoment, "2027-01-31", 1'801'353'600, "2027-01-31T00:00:00Z");
    reads(kMoment, "2027-01-31t01:30:15.25+01:30", 1'801'353'615, "2027-01-31T00:00:15Z");
    reads(kMoment, "2027-01-30T23:59:60-00:00", 1'801'353'599, "2027-01-30T23:59:59Z");
    reads(kMoment, "never", 0);
    refuses(kMoment, {"", "2027-02-29", "2027-1-1", "2027-01-31T", "2027-01-31T00:00Z",
                      "2027-01-31T00:00:00", "2027-01-31T24:00:00Z", "2027-01-31T00:00:00Zx",
                      "1999-12-31", "tomorrow", "2027-01-31T00:00:00.Z", "1801353600"});
  }

  void dates() {
    reads(kDate, "2028-02-29", 21'243);
    reads(kDate, "calendar", 0);
    refuses(kDate, {"", "2027-02-29", "2027-13-01", "2027-01-31T00:00:00Z", "27-01-31"});
  }

  void groups() {
    reads(kGroupName, "a", 1);
    reads(kGroupName, "ba", 2 + 38);
    reads(kGroupName, "none", 0);
    reads(kGroupName, "------------", kMostGroup);
    std::string message;
    for (const char* name : {"staff", "b-2", "0", "zzzzzzzzzzzz"}) {
      reads(kGroupName, name, parse_value(name, kGroupName, message).value());
    }
    refuses(kGroupName, {"", "Staff", "a b", "abcdefghijklm", "a_b"});
  }

  void periods() {
    reads(kPeriod, "day", 1);
    reads(kPeriod, "1 day", 1, "day");
    reads(kPeriod, "30d", 30);
    reads(kPeriod, "366 days", 366, "366d");
    reads(kPeriod, "week", kWeek);
    reads(kPeriod, "month", kMonth);
    reads(kPeriod, "none", kNoPeriod);
    refuses(kPeriod, {"", "0 days", "367 days", "2 day", "30days", "30 d", "year", "-1 days", "1001"});
  }

  void zones() {
    reads(kTimeZone, "UTC", kUtc);
    reads(kTimeZone, "Europe/Berlin", zone_number("Europe/Berlin").value());
    reads(kTimeZone, "America/Argentina/Buenos_Aires",
          zone_number("America/Argentina/Buenos_Aires").value());
    refuses(kTimeZone, {"", "Europe", "Europe/Atlantis", "../../etc/passwd", "europe/berlin"});
  }

  void words() {
    reads(kCounted, "both", 0);
    reads(kCounted, "each", 3);
    reads(kExcess, "replace", kReplaceOldest);
    refuses(kCounted, {"", "all", "Both"});
  }

  void the_default_has_a_text() {
    for (const UserFieldInfo& field : kUserFields) {
      std::string message;
      const Json::Value text = value_json(field.value, field.kind);
      CPPUNIT_ASSERT(parse_value(text, field.kind, message) == field.value);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FieldKindTest);

}  // namespace
}  // namespace wirelay::ctrl
