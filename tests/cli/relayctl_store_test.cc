// Protects what relayctl tells of what lasts: usage as a plot, as CSV and as JSON, with steps of
// nothing among the others; and copies of the store.
#include <ctime>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "ctrl/store/history.h"
#include "ctrl/store/schema.h"
#include "tests/cli/relayctl_fixture.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

using ctrl::kHourStep;

class RelayctlStoreTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(RelayctlStoreTest);
  CPPUNIT_TEST(usage_is_a_plot);
  CPPUNIT_TEST(usage_for_programs);
  CPPUNIT_TEST(wrong_moments_and_steps_are_told);
  CPPUNIT_TEST(nothing_is_kept);
  CPPUNIT_TEST(backup_goes_to_a_new_file);
  CPPUNIT_TEST_SUITE_END();

  const test::TempDir dir_;
  const uint64_t hour_ = ctrl::step_begin(static_cast<uint64_t>(std::time(nullptr)), kHourStep);

  /// alice carried something in this hour, and more three hours ago.
  void keep() {
    done("user add alice");
    rest();
    auto database =
        std::make_unique<ctrl::Database>(dir_.path("relay.db"), ctrl::Database::Access::kWrite);
    ctrl::bring_up_to_date(*database);
    ctrl::HistoryRows history(*database);
    database->write([&] {
      history.add(1, {hour_ - 3 * kHourStep, {10, 3'000'000, 20, 6'000'000}});
      history.add(1, {hour_, {1, 1'000'000, 2, 500'000}});
    });
    lab_->relay.kept = std::move(database);
    go_on();
  }

 public:
  void usage_is_a_plot() {
    keep();
    done("usage alice");
    has(out_, "BEGIN (UTC)");
    has(out_, "3.0 MB");
    has(out_, "############========================\n");  // 36 marks, a third of them up
    has(out_, "4.0 MB up, 6.5 MB down; in all: ");
    // The two hours between have their lines.
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{6}, std::ranges::count(out_, '\n'));
    done("usage alice --by day --since 7d");
    has(out_, "4.0 MB");
  }

  void usage_for_programs() {
    keep();
    done("usage alice --csv");
    has(out_, "begin,rx_packets,rx_bytes,tx_packets,tx_bytes\n");
    has(out_, "Z,10,3000000,20,6000000\n");
    CPPUNIT_ASSERT_EQUAL(ptrdiff_t{3}, std::ranges::count(out_, '\n'));
    done("usage alice --json");
    const Json::Value usage = ctrl::parse_json(out_, {.bytes = 1u << 20});
    CPPUNIT_ASSERT_EQUAL(2u, usage["steps"].size());
    CPPUNIT_ASSERT_EQUAL(hour_, usage["steps"][1]["begin"].asUInt64());
    CPPUNIT_ASSERT_EQUAL(std::string("hour"), usage["by"].asString());
  }

  void wrong_moments_and_steps_are_told() {
    keep();
    for (const std::string since : {"7", "d", "7y", "2026-13-01x", "-3h"}) {
      CPPUNIT_ASSERT_EQUAL(int{kUsage}, relayctl("usage alice --since " + since));
      has(err_, "expected 90m, 36h, 7d, or a day");
    }
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("usage alice --by week"));
    has(err_, "by: ");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("usage alice --by 5min --since 90d"));
    has(err_, "more than 1500 steps");
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, relayctl("usage alice --csv --json"));
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("usage nobody"));
  }

  void nothing_is_kept() {
    done("user add alice");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("usage alice"));
    has(err_, "the relay keeps nothing");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("backup " + dir_.path("copy.db")));
    has(err_, "the relay keeps nothing");
    done("status");
    has(out_, "Store:          none: what the API changes is gone when the relay ends");
  }

  void backup_goes_to_a_new_file() {
    keep();
    const std::string copy = dir_.path("copy.db");
    done("backup " + copy);
    has(err_, "wrote a copy of the store to " + copy);
    CPPUNIT_ASSERT_EQUAL(int64_t{2}, ctrl::Database(copy, ctrl::Database::Access::kRead)
                                         .ask("SELECT COUNT(*) FROM history WHERE step = 3600"));
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("backup " + copy));
    has(err_, "File exists");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlStoreTest);

}  // namespace wirelay::cli
