// Protects quotas and expiry over histories that nobody thought of: clocks that leap by days both
// ways, changes, resets and restarts, in any order. A model says what is used, whose period it is,
// and who has expired; and no period begins a second time by itself. Seeds are printed when it
// fails.
#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/quota/expiries.h"
#include "ctrl/quota/quotas.h"
#include "tests/ctrl/protocol/lab.h"

namespace wirelay::ctrl {

namespace {

constexpr uint64_t kHourSeconds = 3'600, kDaySeconds = 24 * kHourSeconds;
constexpr uint32_t kHistories = 10'000, kSteps = 30, kUsers = 3;

/// One user, as simple as can be said.
struct Model {
  UserSpec spec;
  bool there = false;
  dataplane::QuotaUse used;
  uint64_t newest = 0;  // begin of the latest period that began, by the present rule
  uint64_t handshake = 0;

  [[nodiscard]] bool has_quota() const { return there && spec.quota().bytes != 0; }
  [[nodiscard]] uint64_t moment() const {
    const uint64_t set = spec.values[UserField::kExpires];
    const uint64_t days = spec.values[UserField::kExpiresAfter];
    const uint64_t after = days == 0 || handshake == 0 ? 0 : handshake + days * kDaySeconds;
    return set == 0 || after == 0 ? std::max(set, after) : std::min(set, after);
  }
};

class History {
 public:
  History(test::Lab& lab, uint32_t seed)
      : random_(seed), users_(lab.b->shared.users), protocol_(*lab.b->protocol) {
    for (uint32_t user = 0; user < kUsers; ++user) {
      users_.reset(user, 0);
      protocol_.add_user(user, {});
    }
    start();
  }

  void run() {
    for (uint32_t step = 0; step < kSteps; ++step) {
      act(random_() % kUsers);
      tick();
      for (uint32_t user = 0; user < kUsers; ++user) check(user);
    }
  }

 private:
  uint64_t pick(std::initializer_list<uint64_t> of) { return of.begin()[random_() % of.size()]; }

  void start() {
    quotas_ = std::make_unique<Quotas>(users_);
    expiries_ = std::make_unique<Expiries>(users_, protocol_);
    tick();
  }

  void tick() {
    ns_ += kNsPerSecond;
    const Now now{ns_, ns_, clock_ * kNsPerSecond};
    const Slice whole{std::chrono::hours(1)};
    CPPUNIT_ASSERT(quotas_->tick(now, whole) && expiries_->tick(now, whole));
  }

  void act(uint32_t user) {
    switch (random_() % 8) {
      case 0:
      case 1:
        clock_ += random_() % (2 * kDaySeconds);
        break;
      case 2:
        clock_ -= random_() % kDaySeconds;
        break;
      case 3:
        change(user);
        break;
      case 4:
        if (random_() % 4 == 0) restart();
        break;
      case 5:
        reset(user);
        break;
      case 6:
        if (models_[user].there) shake_hands(user);
        break;
      default:
        carry(user);
    }
  }

  void change(uint32_t user) {
    using F = UserField;
    Model& model = models_[user];
    if (model.there && random_() % 6 == 0) return remove(user);
    const UserSpec before = model.spec;
    UserSpec& spec = model.spec;
    spec.name = std::to_string(user);
    spec.values[F::kQuotaBytes] = pick({0, 1'000, 1'000, 5'000});
    spec.values[F::kQuotaCounts] = random_() % 4;
    if (random_() % 3 == 0)
      spec.values[F::kQuotaPeriod] = pick({kNoPeriod, 1, 1, 2, kWeek, kMonth});
    spec.values[F::kExpires] = random_() % 2 == 0 ? 0 : clock_ + random_() % kDaySeconds;
    spec.values[F::kExpiresAfter] = random_() % 3;
    const auto told = std::make_shared<const UserSpec>(spec);
    const bool had = model.there && before.quota().bytes != 0;
    if (!had) model.used = {};
    if (!had || before.values[F::kQuotaPeriod] != spec.values[F::kQuotaPeriod]) model.newest = 0;
    if (!model.there) {
      model.there = true;
      quotas_->add(user, told);
      expiries_->add(user, told);
    } else {
      quotas_->change(user, told);
      expiries_->change(user, told);
    }
  }

  void remove(uint32_t user) {
    quotas_->remove(user);
    expiries_->remove(user);
    users_.reset(user, 0);
    protocol_.add_user(user, {});
    models_[user] = {};
  }

  void restart() {
    struct Kept {
      std::optional<QuotaState> quota;
      ExpiryState expiry;
    } kept[kUsers];
    for (uint32_t user = 0; user < kUsers; ++user) {
      kept[user] = {quotas_->state(user), expiries_->state(user)};
      users_.reset(user, 0);
      protocol_.add_user(user, {});
    }
    if (random_() % 2 == 0) clock_ += random_() % (2 * kDaySeconds);
    start();
    for (uint32_t user = 0; user < kUsers; ++user) {
      if (!models_[user].there) continue;
      const auto told = std::make_shared<const UserSpec>(models_[user].spec);
      quotas_->add(user, told);
      expiries_->add(user, told);
      if (kept[user].quota) quotas_->restore(user, *kept[user].quota);
      expiries_->restore(user, kept[user].expiry);
    }
  }

  void reset(uint32_t user) {
    CPPUNIT_ASSERT_EQUAL(models_[user].has_quota(), quotas_->reset(user));
    models_[user].used = {};
    models_[user].newest = 0;
  }

  void shake_hands(uint32_t user) {
    Model& model = models_[user];
    if (model.handshake != 0) return;
    model.handshake = clock_;
    expiries_->restore(user, {clock_});
  }

  void carry(uint32_t user) {
    Model& model = models_[user];
    if (!model.has_quota()) return;
    const dataplane::QuotaUse bytes{random_() % 300, random_() % 300};
    users_.add_use(user, bytes);
    model.used.up += bytes.up;
    model.used.down += bytes.down;
  }

  void check(uint32_t user) {
    Model& model = models_[user];
    const auto state = quotas_->state(user);
    CPPUNIT_ASSERT_EQUAL(model.has_quota(), state.has_value());
    if (state) check_period(user, model, *state);
    const bool expired = model.there && model.moment() != 0 && model.moment() <= clock_;
    CPPUNIT_ASSERT_EQUAL(expired, (users_.flags(user) & dataplane::kEnded) != 0);
  }

  /// What was used is what the model has, or nothing when a later period than any has begun.
  void check_period(uint32_t user, Model& model, const QuotaState& state) {
    const bool begun = model.newest != 0 && state.begin > model.newest;
    CPPUNIT_ASSERT(model.newest == 0 || state.begin >= model.newest);
    if (begun) model.used = {};
    model.newest = state.begin;
    CPPUNIT_ASSERT_EQUAL(model.used.up, state.used.up);
    CPPUNIT_ASSERT_EQUAL(model.used.down, state.used.down);
    const QuotaStatus status = quotas_->status(user).value();
    CPPUNIT_ASSERT(status.period_end == 0 || status.period_end > clock_);
    CPPUNIT_ASSERT_EQUAL(status.over, status.left == 0);
  }

  std::mt19937 random_;
  dataplane::UserTable& users_;
  Protocol& protocol_;
  std::unique_ptr<Quotas> quotas_;
  std::unique_ptr<Expiries> expiries_;
  Model models_[kUsers];
  uint64_t clock_ = 1'800'000'000, ns_ = 0;
};

class HistoriesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HistoriesTest);
  CPPUNIT_TEST(as_the_model_has_it);
  CPPUNIT_TEST_SUITE_END();

 public:
  void as_the_model_has_it() {
    test::Lab lab;
    for (uint32_t seed = 0; seed < kHistories; ++seed) {
      try {
        History(lab, seed).run();
      } catch (CppUnit::Exception& failure) {
        CppUnit::Message message = failure.message();
        message.addDetail("seed " + std::to_string(seed));
        failure.setMessage(message);
        throw;
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HistoriesTest);

}  // namespace
}  // namespace wirelay::ctrl
