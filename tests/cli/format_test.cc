// Protects how numbers, ages and tables read.
#include "cli/format.h"

#include <sstream>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::cli {

class FormatTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FormatTest);
  CPPUNIT_TEST(bytes);
  CPPUNIT_TEST(counts);
  CPPUNIT_TEST(durations_and_ages);
  CPPUNIT_TEST(rates);
  CPPUNIT_TEST(columns_are_aligned);
  CPPUNIT_TEST(long_values_are_wrapped);
  CPPUNIT_TEST(control_characters_do_not_reach_the_terminal);
  CPPUNIT_TEST_SUITE_END();

  static void same(const std::string& expected, const std::string& got) {
    CPPUNIT_ASSERT_EQUAL(expected, got);
  }

 public:
  void bytes() {
    same("0 B", bytes_text(0));
    same("999 B", bytes_text(999));
    same("1.0 kB", bytes_text(1000));
    same("999.9 kB", bytes_text(999'900));
    same("1.0 MB", bytes_text(999'960));
    same("1.2 GB", bytes_text(1'234'567'890));
    same("18446.7 PB", bytes_text(UINT64_MAX));
  }

  void counts() {
    same("0", count_text(0));
    same("999", count_text(999));
    same("1,000", count_text(1000));
    same("12,345,678", count_text(12'345'678));
    same("100,000", count_text(100'000));
  }

  void durations_and_ages() {
    same("59 s", duration_text(59));
    same("1 min", duration_text(60));
    same("1 min 1 s", duration_text(61));
    same("2 h 5 min", duration_text(2 * 3600 + 5 * 60 + 9));
    same("1 d 2 h", duration_text(93'784));
    same("never", ago_text(0, 1000));
    same("3 min ago", ago_text(1000, 1000 + 200));
    same("0 s ago", ago_text(1001, 1000));  // clocks differ
    same("1 d ago", ago_text(1000, 1000 + 86'400));
  }

  void rates() {
    same("20 Mbit/s", rate_text("20M", "bit/s"));
    same("1.5 Gbit/s", rate_text("1.5G", "bit/s"));
    same("64 kbit/s", rate_text("64K", "bit/s"));
    same("300 packet/s", rate_text("300", "packet/s"));
    same("unlimited", rate_text("unlimited", "bit/s"));
  }

  void columns_are_aligned() {
    Table table({"NAME", ">COUNT", "LAST"});
    table.add({"a", "1", "x"});
    table.add({"longer", "1,000", "y"});
    std::ostringstream out;
    table.print(out);
    same("NAME    COUNT  LAST\na           1  x\nlonger  1,000  y\n", out.str());
    std::ostringstream lines;
    Facts facts;
    facts.add("A", "1");
    facts.add("Longer", "2");
    facts.print(lines);
    same("A:       1\nLonger:  2\n", lines.str());
  }

  void long_values_are_wrapped() {
    Facts facts;
    const std::string word(60, 'w');
    facts.add("A", word + ' ' + word + " end");
    facts.add("B", std::string(200, 'x'));  // nowhere to break it
    std::ostringstream out;
    facts.print(out);
    same("A:  " + word + "\n    " + word + " end\nB:  " + std::string(200, 'x') + '\n', out.str());
  }

  void control_characters_do_not_reach_the_terminal() {
    same("?[31mred?", printable("\x1b[31mred\n"));
    same("\xc3\xa4", printable("\xc3\xa4"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FormatTest);

}  // namespace wirelay::cli
