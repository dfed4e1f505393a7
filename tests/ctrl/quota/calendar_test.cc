// Protects where periods begin and end: days and months of the place, whatever clocks there do, and
// months that are too short.
#include "ctrl/quota/calendar.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/moment.h"

namespace wirelay::ctrl {

namespace {

uint64_t at(const std::string& text) { return parse_moment(text).value(); }
uint64_t zone(const std::string& name) { return zone_number(name).value(); }
uint64_t day(const std::string& text) { return parse_date(text).value(); }

class CalendarTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CalendarTest);
  CPPUNIT_TEST(days);
  CPPUNIT_TEST(weeks);
  CPPUNIT_TEST(months);
  CPPUNIT_TEST(months_that_are_too_short);
  CPPUNIT_TEST(periods_of_days);
  CPPUNIT_TEST(clocks_that_are_changed);
  CPPUNIT_TEST(a_midnight_that_comes_twice_or_never);
  CPPUNIT_TEST(periods_follow_each_other);
  CPPUNIT_TEST_SUITE_END();

  static void is(const PeriodRule& rule, const std::string& now, const std::string& begin,
                 const std::string& end) {
    const Period period = period_at(rule, at(now));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(now, begin, moment_text(period.begin));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(now, end, moment_text(period.end));
  }

 public:
  void days() {
    is({.length = 1}, "2027-03-10T00:00:00Z", "2027-03-10T00:00:00Z", "2027-03-11T00:00:00Z");
    is({.length = 1}, "2027-03-10T23:59:59Z", "2027-03-10T00:00:00Z", "2027-03-11T00:00:00Z");
    const PeriodRule kolkata{.length = 1, .zone = zone("Asia/Kolkata")};
    is(kolkata, "2027-03-10T18:29:59Z", "2027-03-09T18:30:00Z", "2027-03-10T18:30:00Z");
    is(kolkata, "2027-03-10T18:30:00Z", "2027-03-10T18:30:00Z", "2027-03-11T18:30:00Z");
  }

  void weeks() {
    is({.length = kWeek}, "2027-03-10", "2027-03-08T00:00:00Z", "2027-03-15T00:00:00Z");
    is({.length = kWeek}, "2027-03-08", "2027-03-08T00:00:00Z", "2027-03-15T00:00:00Z");
    const PeriodRule fridays{.length = kWeek, .since = day("2027-06-04")};
    is(fridays, "2027-03-10", "2027-03-05T00:00:00Z", "2027-03-12T00:00:00Z");
  }

  void months() {
    is({.length = kMonth}, "2027-12-31T12:00:00Z", "2027-12-01T00:00:00Z", "2028-01-01T00:00:00Z");
    const PeriodRule tenths{.length = kMonth, .since = day("2026-05-10")};
    is(tenths, "2027-01-09", "2026-12-10T00:00:00Z", "2027-01-10T00:00:00Z");
    is(tenths, "2027-01-10", "2027-01-10T00:00:00Z", "2027-02-10T00:00:00Z");
  }

  void months_that_are_too_short() {
    const PeriodRule last{.length = kMonth, .since = day("2027-01-31")};
    is(last, "2027-02-27", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z");
    is(last, "2027-02-28", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z");
    is(last, "2027-03-30", "2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z");
    is(last, "2027-04-30", "2027-04-30T00:00:00Z", "2027-05-31T00:00:00Z");
    is(last, "2028-02-29", "2028-02-29T00:00:00Z", "2028-03-31T00:00:00Z");
    const PeriodRule thirtieth{.length = kMonth, .since = day("2027-01-30")};
    is(thirtieth, "2028-02-28", "2028-01-30T00:00:00Z", "2028-02-29T00:00:00Z");
  }

  void periods_of_days() {
    const PeriodRule ten{.length = 10, .since = day("2027-03-01")};
    is(ten, "2027-03-10T23:00:00Z", "2027-03-01T00:00:00Z", "2027-03-11T00:00:00Z");
    is(ten, "2027-03-11", "2027-03-11T00:00:00Z", "2027-03-21T00:00:00Z");
    is(ten, "2027-02-28", "2027-02-19T00:00:00Z", "2027-03-01T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(day("2027-03-11"),
                         local_date(zone("Asia/Tokyo"), at("2027-03-10T15:00:00Z")));
  }

  void clocks_that_are_changed() {
    const PeriodRule berlin{.length = 1, .zone = zone("Europe/Berlin")};
    is(berlin, "2027-03-28T12:00:00Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z");
    is(berlin, "2027-10-31T12:00:00Z", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z");
    const PeriodRule month{.length = kMonth, .zone = zone("America/New_York")};
    is(month, "2027-03-01T06:00:00Z", "2027-03-01T05:00:00Z", "2027-04-01T04:00:00Z");
  }

  void a_midnight_that_comes_twice_or_never() {
    // Cuba: midnight was skipped on 2027-03-14, and comes twice on 2027-11-07.
    const PeriodRule havana{.length = 1, .zone = zone("America/Havana")};
    is(havana, "2027-03-14T12:00:00Z", "2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z");
    is(havana, "2027-11-07T12:00:00Z", "2027-11-07T05:00:00Z", "2027-11-08T05:00:00Z");
    CPPUNIT_ASSERT(period_at(havana, at("2027-11-07T04:30:00Z")).end > at("2027-11-07T04:30:00Z"));
  }

  /// The end of each begins the next, and lies behind whatever moment is asked for.
  void periods_follow_each_other() {
    for (const uint64_t where : {kUtc, zone("America/Havana"), zone("Australia/Lord_Howe"),
                                 zone("Africa/Casablanca"), zone("Pacific/Apia")}) {
      for (const uint64_t length : {uint64_t{1}, uint64_t{10}, kWeek, kMonth}) {
        const PeriodRule rule{length, day("2027-01-31"), where};
        Period last = period_at(rule, at("2026-06-01"));
        for (uint64_t now = at("2026-06-01"); now < at("2029-06-01"); now += 1'800) {
          const Period period = period_at(rule, now);
          CPPUNIT_ASSERT(period.end > now);
          CPPUNIT_ASSERT(period.begin >= last.begin);
          if (period.begin != last.begin) CPPUNIT_ASSERT_EQUAL(last.end, period.begin);
          last = period;
        }
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CalendarTest);

}  // namespace
}  // namespace wirelay::ctrl
