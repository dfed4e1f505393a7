// Protects when a user's time ends: at its moment by the clock, whichever way the clock goes; some
// days after the first handshake, also of a process before; at once for whom it has passed already;
// and how: nothing passes from the first slice on, and sessions end behind that.
#include "ctrl/quota/expiries.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/protocol/lab.h"

namespace wirelay::ctrl {

namespace {

using test::Lab;

constexpr uint64_t kStart = 1'700'000'000;  // the lab's clock
constexpr uint64_t kDay = 86'400;

UserPtr expiring(uint64_t expires, uint64_t days_after = 0) {
  UserSpec user;
  user.name = "alice";
  user.values[UserField::kExpires] = expires;
  user.values[UserField::kExpiresAfter] = days_after;
  return std::make_shared<const UserSpec>(std::move(user));
}

}  // namespace

class ExpiriesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExpiriesTest);
  CPPUNIT_TEST(at_its_moment);
  CPPUNIT_TEST(who_has_expired_already);
  CPPUNIT_TEST(more_time_brings_a_user_back);
  CPPUNIT_TEST(a_clock_that_is_set_back);
  CPPUNIT_TEST(in_the_order_of_moments);
  CPPUNIT_TEST(days_after_the_first_handshake);
  CPPUNIT_TEST(the_earlier_moment_counts);
  CPPUNIT_TEST(sessions_end);
  CPPUNIT_TEST(many_at_once_come_in_slices);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<Lab> lab_;
  std::unique_ptr<Expiries> expiries_;
  std::vector<bool> told_;

  dataplane::UserTable& users() { return lab_->b->shared.users; }
  bool ended(uint32_t number) { return (users().flags(number) & dataplane::kEnded) != 0; }

 public:
  void setUp() override { begin(Lab::small()); }
  void tearDown() override {
    expiries_.reset();
    lab_.reset();
  }

  void begin(const dataplane::Sizes& sizes) {
    expiries_.reset();
    lab_.reset();
    lab_ = std::make_unique<Lab>(sizes);
    expiries_ = std::make_unique<Expiries>(users(), *lab_->b->protocol);
    expiries_->on_change = [this](const UserSpec&, bool expired, uint64_t) {
      told_.push_back(expired);
    };
    tick(kStart);
  }

  void tick(uint64_t unix_seconds) {
    Now now = lab_->now;
    now.unix_ns = unix_seconds * kNsPerSecond;
    CPPUNIT_ASSERT(expiries_->tick(now, Slice(std::chrono::hours(1))));
  }

  void at_its_moment() {
    expiries_->add(1, expiring(kStart + 10));
    tick(kStart + 9);
    CPPUNIT_ASSERT(!ended(1) && !expiries_->status(1)->expired);
    tick(kStart + 10);
    CPPUNIT_ASSERT(ended(1) && expiries_->status(1)->expired);
    CPPUNIT_ASSERT(!ended(0) && !expiries_->status(0));
    CPPUNIT_ASSERT((told_ == std::vector<bool>{true}));
  }

  void who_has_expired_already() {
    expiries_->add(1, expiring(kStart - 10));
    CPPUNIT_ASSERT(ended(1));
    expiries_->add(2, expiring(kStart + 10));
    expiries_->change(2, expiring(kStart));
    CPPUNIT_ASSERT(ended(2));
  }

  void more_time_brings_a_user_back() {
    expiries_->add(1, expiring(kStart - 10));
    expiries_->change(1, expiring(kStart + 10));
    CPPUNIT_ASSERT(!ended(1));
    tick(kStart + 20);
    CPPUNIT_ASSERT(ended(1));
    expiries_->change(1, expiring(0));
    CPPUNIT_ASSERT(!ended(1) && !expiries_->status(1));
    CPPUNIT_ASSERT((told_ == std::vector<bool>{true, false, true, false}));
    tick(kStart + 30);
    expiries_->remove(1);
    CPPUNIT_ASSERT_EQUAL(size_t{4}, told_.size());
  }

  void a_clock_that_is_set_back() {
    expiries_->add(1, expiring(kStart + 10));
    expiries_->add(2, expiring(kStart + kDay));
    expiries_->add(3, expiring(kStart - kDay - 1));
    tick(kStart + kDay);
    CPPUNIT_ASSERT(ended(1) && ended(2) && ended(3));
    tick(kStart);
    CPPUNIT_ASSERT(!ended(1) && !ended(2) && ended(3));
    tick(kStart - kDay);
    CPPUNIT_ASSERT(ended(3));
    tick(kStart + 10);
    CPPUNIT_ASSERT(ended(1) && !ended(2));
  }

  void in_the_order_of_moments() {
    for (uint32_t number = 0; number < 4; ++number) {
      expiries_->add(number, expiring(kStart + 40 - 10 * number));
    }
    expiries_->change(0, expiring(kStart + 5));
    expiries_->remove(3);
    tick(kStart + 5);
    CPPUNIT_ASSERT(ended(0) && !ended(1) && !ended(2) && !ended(3));
    tick(kStart + 29);
    CPPUNIT_ASSERT(!ended(1) && ended(2) && !ended(3));
    tick(kStart + 30);
    CPPUNIT_ASSERT(ended(1) && !ended(3));
  }

  void days_after_the_first_handshake() {
    lab_->introduce();  // the lab's peer is user 0's
    expiries_->add(0, expiring(0, 2));
    tick(kStart + 10 * kDay);
    CPPUNIT_ASSERT(!ended(0));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, expiries_->status(0)->at);
    tick(kStart);
    lab_->connect();
    tick(kStart + 1);
    CPPUNIT_ASSERT_EQUAL(kStart, expiries_->state(0).first_handshake);
    CPPUNIT_ASSERT_EQUAL(kStart + 2 * kDay, expiries_->status(0)->at);
    tick(kStart + 2 * kDay);
    CPPUNIT_ASSERT(ended(0));
    // Kept over a restart.
    const ExpiryState kept = expiries_->state(0);
    begin(Lab::small());
    lab_->b->protocol->add_user(0, {});
    expiries_->add(0, expiring(0, 2));
    expiries_->restore(0, kept);
    CPPUNIT_ASSERT(!ended(0));
    tick(kStart + 2 * kDay);
    CPPUNIT_ASSERT(ended(0));
  }

  void the_earlier_moment_counts() {
    expiries_->add(1, expiring(kStart + 3 * kDay, 2));
    CPPUNIT_ASSERT_EQUAL(kStart + 3 * kDay, expiries_->status(1)->at);
    expiries_->restore(1, {kStart});
    CPPUNIT_ASSERT_EQUAL(kStart + 2 * kDay, expiries_->status(1)->at);
    expiries_->change(1, expiring(kStart + kDay, 2));
    CPPUNIT_ASSERT_EQUAL(kStart + kDay, expiries_->status(1)->at);
  }

  void sessions_end() {
    lab_->introduce();
    lab_->connect();
    CPPUNIT_ASSERT(lab_->b->current(lab_->peer_of_b) != nullptr);
    expiries_->add(0, expiring(kStart + 10));
    Now now = lab_->now;
    now.unix_ns = (kStart + 10) * kNsPerSecond;
    CPPUNIT_ASSERT(!expiries_->tick(now, Slice(std::chrono::nanoseconds(0))));
    CPPUNIT_ASSERT(ended(0));
    CPPUNIT_ASSERT(lab_->b->current(lab_->peer_of_b) != nullptr);
    tick(kStart + 10);
    CPPUNIT_ASSERT(lab_->b->current(lab_->peer_of_b) == nullptr);
  }

  /// The users of the first slices need not wait for those of the last, nor any for the end of
  /// others' sessions.
  void many_at_once_come_in_slices() {
    constexpr uint32_t kMany = 20'000;
    dataplane::Sizes sizes = Lab::small();
    sizes.users = kMany;
    begin(sizes);
    for (uint32_t number = 0; number < kMany; ++number) {
      expiries_->add(number, expiring(kStart + 10));
    }
    Now now = lab_->now;
    now.unix_ns = (kStart + 10) * kNsPerSecond;
    for (uint32_t turn = 0; turn < kMany; ++turn) {
      CPPUNIT_ASSERT(!ended(kMany - 1));
      expiries_->tick(now, Slice(std::chrono::nanoseconds(0)));
      CPPUNIT_ASSERT(ended(turn));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExpiriesTest);

}  // namespace wirelay::ctrl
