// Protects what is told in the end: that it can be written is known before the work is done, and
// what there is not is not printed.
#include "tools/relaygen/report.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

namespace fs = std::filesystem;

class ReportTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReportTest);
  CPPUNIT_TEST(a_file_that_cannot_be_written_is_told);
  CPPUNIT_TEST(looking_changes_no_file);
  CPPUNIT_TEST(a_table_without_rows_is_nothing);
  CPPUNIT_TEST(corruption_is_told_by_kind);
  CPPUNIT_TEST_SUITE_END();

  fs::path folder_;

 public:
  void setUp() override {
    folder_ = fs::temp_directory_path() / ("report_test" + std::to_string(getpid()));
    fs::create_directory(folder_);
  }
  void tearDown() override { fs::remove_all(folder_); }

 private:
  void a_file_that_cannot_be_written_is_told() {
    check_json("-");
    CPPUNIT_ASSERT_THROW(check_json(folder_ / "none" / "a.json"), Failure);
    CPPUNIT_ASSERT_THROW(check_json(folder_), Failure);
  }

  void looking_changes_no_file() {
    const fs::path path = folder_ / "a.json";
    check_json(path);
    CPPUNIT_ASSERT(!fs::exists(path));
    std::ofstream(path) << "what stood there";
    check_json(path);
    CPPUNIT_ASSERT_EQUAL(uintmax_t{16}, fs::file_size(path));
  }

  void a_table_without_rows_is_nothing() {
    std::ostringstream out;
    Table().print(out);
    trial_table().print(out);
    CPPUNIT_ASSERT_EQUAL(std::string(), out.str());
  }

  void corruption_is_told_by_kind() {
    TrialResult result;
    result.plan.sizes = SizeMix::parse("64");
    CPPUNIT_ASSERT(remarks(result).empty());
    result.counts.bad_tag = 1;
    result.counts.bad_address = 2;
    result.counts.bad_payload = 3;
    result.counts.bad_checksum = 4;
    const auto lines = remarks(result);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, lines.size());
    for (const char* part : {"1 did not decrypt", "2 had wrong addresses", "3 a changed payload",
                             "4 a wrong checksum"}) {
      CPPUNIT_ASSERT_MESSAGE(lines[0], lines[0].find(part) != std::string::npos);
    }
    CPPUNIT_ASSERT_EQUAL(10u, to_json(result)["corrupt"].asUInt());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReportTest);

}  // namespace

}  // namespace wirelay::relaygen
