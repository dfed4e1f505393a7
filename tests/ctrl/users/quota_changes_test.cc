// Protects what of a quota can be asked for: what does not go together is refused, a reset is a
// change of a user who has one, and reaches the tables.
#include "tests/ctrl/users/registry_fixture.h"

namespace wirelay::ctrl {

namespace {

UserSpec with_quota(uint64_t bytes) {
  UserSpec spec = user("alice");
  spec.values[UserField::kQuotaBytes] = bytes;
  return spec;
}

UserChange change_of(UserField field, uint64_t value) {
  UserChange change{.name = "alice", .to = {}, .named = {}};
  change.set(field, value);
  return change;
}

}  // namespace

class QuotaChangesTest : public RegistryFixture {
  CPPUNIT_TEST_SUITE(QuotaChangesTest);
  CPPUNIT_TEST(a_throttle_has_a_rate);
  CPPUNIT_TEST(a_reset_is_of_a_quota);
  CPPUNIT_TEST(a_reset_is_told);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_throttle_has_a_rate() {
    UserSpec spec = with_quota(1000);
    spec.values[UserField::kQuotaEnd] = kThrottleAtEnd;
    assert_refused({AddUser{spec}}, "steps[0].quota.throttle_rate", "say to which rate");
    spec.values[UserField::kQuotaRate] = 64'000;
    apply({AddUser{spec}});
    assert_refused({SetUser{change_of(UserField::kQuotaRate, 0)}}, "steps[0].quota.throttle_rate",
                   "missing");
    apply({SetUser{change_of(UserField::kQuotaEnd, 0)}});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, registry_.user("alice")->quota().throttle_bits);
  }

  void a_reset_is_of_a_quota() {
    assert_refused({ResetQuota{"alice"}}, "steps[0].name", "no user \"alice\"");
    apply({AddUser{user("alice")}});
    assert_refused({ResetQuota{"alice"}}, "steps[0]", "has no quota");
    apply({SetUser{change_of(UserField::kQuotaBytes, 1000)}, ResetQuota{"alice"}});
  }

  void a_reset_is_told() {
    apply({AddUser{with_quota(1000)}});
    const std::vector<Step> steps = {{ResetQuota{"alice"}, "params"}};
    const CheckedSteps checked = check_steps(registry_, Origin::kApi, steps);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, checked.events.size());
    CPPUNIT_ASSERT(std::get<UserEvent>(checked.events[0]).quota_reset);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, count(checked.events).users_changed);
    CPPUNIT_ASSERT_EQUAL(std::string("~ user alice: quota reset"), describe(checked.events).at(0));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(QuotaChangesTest);

}  // namespace wirelay::ctrl
