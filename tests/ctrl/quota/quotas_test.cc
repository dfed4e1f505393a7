// Protects what a user may carry over time: a period begins once, whatever the clock does; what was
// used stays used when a quota changes, and over a restart; a warning comes once; and no slice of
// many that begin anew together is a long one.
#include "ctrl/quota/quotas.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/moment.h"

namespace wirelay::ctrl {

namespace {

using dataplane::QuotaUse;
using dataplane::UserTable;
using dataplane::Way;

constexpr uint64_t kTscHz = 1'000'000'000;

uint64_t seconds_at(const std::string& text) { return parse_moment(text).value(); }

UserPtr user_with(uint64_t bytes, uint64_t period, dataplane::QuotaCounts counts = {}) {
  UserSpec user;
  user.name = "alice";
  user.values[UserField::kQuotaBytes] = bytes;
  user.values[UserField::kQuotaPeriod] = period;
  user.values[UserField::kQuotaCounts] = static_cast<uint64_t>(counts);
  return std::make_shared<const UserSpec>(std::move(user));
}

}  // namespace

class QuotasTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(QuotasTest);
  CPPUNIT_TEST(begins_anew_with_each_period);
  CPPUNIT_TEST(without_a_period_it_never_does);
  CPPUNIT_TEST(days_are_counted_from_the_first);
  CPPUNIT_TEST(a_clock_that_leaps_ahead_and_back);
  CPPUNIT_TEST(a_clock_that_is_set_back);
  CPPUNIT_TEST(changes_keep_what_was_used);
  CPPUNIT_TEST(another_period_keeps_what_was_used);
  CPPUNIT_TEST(resets_by_hand);
  CPPUNIT_TEST(warns_once_a_period);
  CPPUNIT_TEST(outlives_a_restart);
  CPPUNIT_TEST(a_period_that_ended_meanwhile);
  CPPUNIT_TEST(goes_with_its_user);
  CPPUNIT_TEST(many_at_once_come_in_slices);
  CPPUNIT_TEST_SUITE_END();

  static constexpr uint32_t kMany = 100'000;
  std::unique_ptr<UserTable> users_;
  std::unique_ptr<Quotas> quotas_;
  std::vector<unsigned> warned_;
  uint64_t ns_ = 0;

 public:
  void setUp() override { begin("2027-03-10T12:00:00Z"); }

  void begin(const std::string& now) {
    users_ = std::make_unique<UserTable>(kMany, kTscHz);
    quotas_ = std::make_unique<Quotas>(*users_);
    quotas_->on_warning = [this](const UserSpec&, unsigned percent, uint64_t) {
      warned_.push_back(percent);
    };
    tick(seconds_at(now));
  }

  void tick(uint64_t unix_seconds) {
    ns_ += kNsPerSecond;
    const Now now{ns_, ns_, unix_seconds * kNsPerSecond};
    CPPUNIT_ASSERT(quotas_->tick(now, Slice(std::chrono::hours(1))));
  }
  void tick(const std::string& now) { tick(seconds_at(now)); }
  void carry(uint64_t up, uint64_t down = 0) { users_->add_use(0, {up, down}); }
  uint64_t used() {
    const QuotaUse use = users_->quota(0).use();
    return use.up + use.down;
  }
  QuotaStatus status() { return quotas_->status(0).value(); }

  void begins_anew_with_each_period() {
    quotas_->add(0, user_with(1000, 1));
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-03-11"), status().period_end);
    carry(700, 500);
    tick("2027-03-10T23:59:59Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{1200}, used());
    CPPUNIT_ASSERT(status().over && status().left == 0);
    tick("2027-03-11T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used());
    CPPUNIT_ASSERT(!status().over && status().left == 1000);
    carry(1);
    tick("2027-03-14T05:00:00Z");  // it was asleep meanwhile
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used());
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-03-15"), status().period_end);
  }

  void without_a_period_it_never_does() {
    quotas_->add(0, user_with(1000, kNoPeriod));
    carry(10);
    tick("2099-01-01");
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, used());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, status().period_end);
  }

  void days_are_counted_from_the_first() {
    quotas_->add(0, user_with(1000, 30));
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-04-09"), status().period_end);
    tick("2027-04-09");
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-05-09"), status().period_end);
    const QuotaState kept = quotas_->state(0).value();
    begin("2027-05-01");
    quotas_->add(0, user_with(1000, 30));
    quotas_->restore(0, kept);
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-05-09"), status().period_end);
  }

  /// The day to come was given ahead, by mistake; it is not given again when it comes.
  void a_clock_that_leaps_ahead_and_back() {
    quotas_->add(0, user_with(1000, 1));
    carry(900);
    tick("2027-03-11T12:00:00Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used());
    carry(800);
    tick("2027-03-10T12:00:01Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{800}, used());
    tick("2027-03-11T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{800}, used());
    tick("2027-03-12T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used());
  }

  void a_clock_that_is_set_back() {
    quotas_->add(0, user_with(1000, 1));
    carry(900);
    for (const char* now :
         {"2027-03-09T12:00:00Z", "2027-03-10T00:00:00Z", "2027-03-10T23:00:00Z"}) {
      tick(now);
      CPPUNIT_ASSERT_EQUAL(uint64_t{900}, used());
    }
    tick("2027-03-11T00:00:00Z");
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, used());
  }

  void changes_keep_what_was_used() {
    quotas_->add(0, user_with(1000, 1));
    carry(900);
    quotas_->change(0, user_with(2000, 1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1100}, status().left);
    quotas_->change(0, user_with(500, 1, dataplane::QuotaCounts::kUp));
    CPPUNIT_ASSERT(status().over);
    quotas_->change(0, user_with(500, 1, dataplane::QuotaCounts::kDown));
    CPPUNIT_ASSERT(!status().over && status().left == 500);
    quotas_->change(0, user_with(0, 1));  // none any more, and then a new one
    CPPUNIT_ASSERT(!quotas_->status(0));
    quotas_->change(0, user_with(1000, 1));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000}, status().left);
  }

  void another_period_keeps_what_was_used() {
    quotas_->add(0, user_with(1000, 1));
    carry(900);
    quotas_->change(0, user_with(1000, kMonth));
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-04-01"), status().period_end);
    tick("2027-03-11");
    CPPUNIT_ASSERT_EQUAL(uint64_t{900}, used());
    quotas_->change(0, user_with(1000, kWeek));
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-03-15"), status().period_end);
    CPPUNIT_ASSERT_EQUAL(uint64_t{900}, used());
  }

  void resets_by_hand() {
    CPPUNIT_ASSERT(!quotas_->reset(0));
    quotas_->add(0, user_with(1000, kMonth));
    carry(1000);
    tick("2027-03-20T10:00:00Z");
    CPPUNIT_ASSERT(quotas_->reset(0));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000}, status().left);
    CPPUNIT_ASSERT_EQUAL(seconds_at("2027-04-01"), status().period_end);
    carry(1000);
    tick("2027-03-20T10:00:02Z");
    CPPUNIT_ASSERT((warned_ == std::vector<unsigned>{100, 100}));
  }

  void warns_once_a_period() {
    quotas_->add(0, user_with(1000, 1));
    const auto expect = [&](std::vector<unsigned> wanted) {
      tick(seconds_at("2027-03-10T13:00:00Z"));
      CPPUNIT_ASSERT(warned_ == wanted);
    };
    carry(799);
    expect({});
    carry(0, 1);
    expect({80});
    expect({80});
    carry(200);
    expect({80, 100});
    quotas_->change(0, user_with(1100, 1));  // 90 % now
    expect({80, 100});
    carry(50);
    expect({80, 100, 95});
    tick("2027-03-11");
    carry(850);
    tick("2027-03-11T00:00:01Z");
    CPPUNIT_ASSERT((warned_ == std::vector<unsigned>{80, 100, 95}));
    carry(50);
    tick("2027-03-11T00:00:02Z");
    CPPUNIT_ASSERT((warned_ == std::vector<unsigned>{80, 100, 95, 80}));
  }

  void outlives_a_restart() {
    quotas_->add(0, user_with(1000, 1));
    carry(500, 320);
    tick("2027-03-10T13:00:00Z");
    const QuotaState kept = quotas_->state(0).value();
    begin("2027-03-10T13:01:00Z");
    quotas_->add(0, user_with(1000, 1));
    carry(20);  // before it is known what was
    quotas_->restore(0, kept);
    CPPUNIT_ASSERT(status().used.up == 520 && status().used.down == 320);
    tick("2027-03-10T13:01:01Z");
    CPPUNIT_ASSERT((warned_ == std::vector<unsigned>{80}));
    CPPUNIT_ASSERT(!quotas_->state(1));
  }

  void a_period_that_ended_meanwhile() {
    quotas_->add(0, user_with(1000, 1));
    carry(500);
    const QuotaState kept = quotas_->state(0).value();
    begin("2027-03-11T13:01:00Z");
    quotas_->add(0, user_with(1000, 1));
    quotas_->restore(0, kept);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000}, status().left);
    // With a clock that has lost a day it did not end.
    begin("2027-03-09T13:01:00Z");
    quotas_->add(0, user_with(1000, 1));
    quotas_->restore(0, kept);
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, status().left);
    tick("2027-03-10");
    CPPUNIT_ASSERT_EQUAL(uint64_t{500}, status().left);
    tick("2027-03-11");
    CPPUNIT_ASSERT_EQUAL(uint64_t{1000}, status().left);
  }

  void goes_with_its_user() {
    for (uint32_t number = 0; number < 5; ++number) quotas_->add(number, user_with(1000, 1));
    quotas_->remove(1);
    quotas_->remove(4);
    users_->reset(1, 0);
    quotas_->add(1, user_with(0, 1));
    CPPUNIT_ASSERT(!quotas_->status(1) && !quotas_->status(4));
    tick("2027-03-11");
    for (const uint32_t number : {0u, 2u, 3u}) {
      CPPUNIT_ASSERT_EQUAL(seconds_at("2027-03-12"), quotas_->status(number)->period_end);
    }
  }

  void many_at_once_come_in_slices() {
    for (uint32_t number = 0; number < kMany; ++number) {
      quotas_->add(number, user_with(1000, 1));
      users_->add_use(number, {500, 0});
    }
    const uint64_t midnight = seconds_at("2027-03-11") * kNsPerSecond;
    unsigned turns = 0;
    for (bool done = false; !done; ++turns) {
      ns_ += 1'000'000;
      done = quotas_->tick({ns_, ns_, midnight}, Slice(std::chrono::nanoseconds(0)));
    }
    CPPUNIT_ASSERT(turns >= kMany);  // one in each of the shortest slices
    for (uint32_t number = 0; number < kMany; ++number) {
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, users_->quota(number).use().up);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(QuotasTest);

}  // namespace wirelay::ctrl
