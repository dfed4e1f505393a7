// Protects what users are told that they carried: laps hand over what has changed, steps of the
// history sum up to what was carried, and nothing counts twice over restarts and failed writes.
#include "ctrl/store/usage.h"

#include <future>
#include <random>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/store/history.h"
#include "tests/ctrl/store/store_fixture.h"
#include "tests/ctrl/users/published.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

constexpr uint64_t kBegin = 1'800'000'000;  // a step begins

class HistoryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HistoryTest);
  CPPUNIT_TEST(short_steps_make_long_ones);
  CPPUNIT_TEST(steps_are_forgotten_in_time);
  CPPUNIT_TEST(a_user_that_is_gone_is_forgotten);
  CPPUNIT_TEST(a_page_has_whole_steps);
  CPPUNIT_TEST_SUITE_END();

  const test::TempDir dir_;
  Store store_{dir_.path("relay.db")};
  Database database_{dir_.path("relay.db"), Database::Access::kWrite};
  HistoryRows history_{database_};

 public:
  void setUp() override { database_.execute("PRAGMA synchronous = OFF"); }

 private:
  [[nodiscard]] std::vector<UsageStep> read(uint32_t seconds, uint64_t user = 7) const {
    return HistoryRows::read(database_, user, seconds, kBegin - kDayStep,
                             kBegin + uint64_t{300} * seconds);
  }

 public:
  void short_steps_make_long_ones() {
    for (uint64_t i = 0; i < 24; ++i) history_.add(7, {kBegin + 300 * i, traffic(1)});
    history_.add(8, {kBegin, traffic(100)});
    CPPUNIT_ASSERT_EQUAL(size_t{24}, read(kShortStep).size());
    const auto hours = read(kHourStep);
    dataplane::Traffic sum;
    for (const UsageStep& hour : hours) {
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, hour.begin % kHourStep);
      sum += hour.traffic;
    }
    CPPUNIT_ASSERT(sum == traffic(24));
    const auto days = read(kDayStep);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, days.size());
    CPPUNIT_ASSERT(days[0].traffic == traffic(24));
  }

  void steps_are_forgotten_in_time() {
    history_.add(7, {kBegin, traffic(1)});
    history_.prune(kBegin + 2 * kDayStep - 1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, read(kShortStep).size());
    history_.prune(kBegin + 3 * kDayStep);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, read(kShortStep).size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, read(kHourStep).size());
    history_.prune(kBegin + 62 * kDayStep);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, read(kHourStep).size());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, read(kDayStep).size());
    history_.prune(kBegin + 732 * uint64_t{kDayStep});
    CPPUNIT_ASSERT_EQUAL(size_t{0}, read(kDayStep).size());
  }

  void a_user_that_is_gone_is_forgotten() {
    history_.add(7, {kBegin, traffic(1)});
    history_.add(8, {kBegin, traffic(1)});
    history_.remove(7);
    history_.prune(kBegin + 300);
    for (const HistorySteps& steps : kHistorySteps) {
      CPPUNIT_ASSERT_EQUAL(size_t{0}, read(steps.seconds).size());
      CPPUNIT_ASSERT_EQUAL(size_t{1}, read(steps.seconds, 8).size());
    }
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, database_.ask("SELECT COUNT(*) FROM gone"));
  }

  void a_page_has_whole_steps() {
    for (uint64_t i = 0; i < 10; ++i) history_.add(7, {kBegin + 300 * i, traffic(i + 1)});
    const auto some = HistoryRows::read(database_, 7, kShortStep, kBegin + 600, kBegin + 1500);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, some.size());
    CPPUNIT_ASSERT(some.front().traffic == traffic(3) && some.back().traffic == traffic(5));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HistoryTest);

class UsageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(UsageTest);
  CPPUNIT_TEST(laps_write_what_has_changed);
  CPPUNIT_TEST(a_lap_goes_on_slice_by_slice);
  CPPUNIT_TEST(steps_are_written_when_they_are_over);
  CPPUNIT_TEST(a_disk_that_is_full_for_a_while_loses_nothing);
  CPPUNIT_TEST(sums_agree_over_restarts);
  CPPUNIT_TEST_SUITE_END();

  const test::TempDir dir_;
  const std::string file_ = dir_.path("relay.db");
  std::unique_ptr<Store> store_;
  std::unique_ptr<Published> world_;
  std::unique_ptr<Usage> usage_;
  Now now_{0, 0, kBegin* kNsPerSecond};

  void apply(std::vector<Step> steps) {
    ChangeRequest request;
    request.steps = std::move(steps);
    const auto outcome = pass_at_once(world_->registry, world_->publisher, store_.get(), request);
    if (outcome.error) std::rethrow_exception(outcome.error);
  }
  /// As if workers had counted it.
  void carry(const std::string& peer, uint64_t n) {
    const uint32_t number = *world_->publisher.peer_number(peer);
    PeerLife life = world_->protocol.life(number);
    life.traffic += traffic(n);
    world_->protocol.resume_peer(number, life, now_);
  }
  void lap() {
    CPPUNIT_ASSERT(usage_->due(now_));
    usage_->begin(now_);
    while (!usage_->go_on(Slice(std::chrono::seconds(-1)))) continue;
    wait();
  }
  /// Until all is written.
  void wait() {
    std::promise<void> written;
    store_->save(Lives{}, [&] { written.set_value(); });  // in turn
    written.get_future().wait();
  }
  void pass_time(uint64_t seconds) {
    now_.ns += seconds * kNsPerSecond;
    now_.unix_ns += seconds * kNsPerSecond;
  }
  void begin() {
    usage_.reset();
    world_.reset();
    store_.reset();
    store_ = std::make_unique<Store>(file_);
    world_ = std::make_unique<Published>();
    usage_ = std::make_unique<Usage>(world_->registry, world_->publisher, world_->protocol,
                                     two_of_each(), *store_, 10);
    now_.ns += 60 * kNsPerSecond;
  }
  /// A new process: all that it knows is the store's.
  void restart() {
    begin();
    const Stored stored = store_->read();
    for (const StoredUser& user : stored.users) {
      tell(UserEvent{nullptr, std::make_shared<const UserSpec>(user.spec)});
      dataplane::Traffic total = user.life.past;
      for (const StoredPeer& peer : stored.peers) {
        tell(PeerEvent{nullptr, std::make_shared<const PeerSpec>(peer.spec)});
        const uint32_t number = *world_->publisher.peer_number(peer.spec.name);
        world_->protocol.resume_peer(number, peer.life, now_);
        usage_->resume_peer(number, peer.life);
        total += peer.life.traffic;
      }
      world_->publisher.resume_user(user.spec.name, user.life.past);
      usage_->resume_user(*world_->publisher.user_number(user.spec.name), user.spec.id, user.life,
                          total);
    }
  }
  void tell(const ChangeEvent& event) {
    CPPUNIT_ASSERT(world_->publisher.tell(event));
    world_->registry.enter(event);
  }
  /// Of alice, as the history and the step that is not over have it.
  [[nodiscard]] dataplane::Traffic history() const {
    dataplane::Traffic sum;
    const Database database(file_, Database::Access::kRead);
    for (const UsageStep& step :
         HistoryRows::read(database, 1, kShortStep, kBegin - kDayStep, kBegin + kDayStep)) {
      sum += step.traffic;
    }
    sum += read_store(file_).users.at(0).life.step.traffic;
    return sum;
  }
  [[nodiscard]] dataplane::Traffic stored_total() const {
    const Stored stored = read_store(file_);
    dataplane::Traffic sum = stored.users.at(0).life.past;
    for (const StoredPeer& peer : stored.peers) sum += peer.life.traffic;
    return sum;
  }

 public:
  void setUp() override {
    begin();
    apply({{AddUser{user("alice")}, ""},
           {AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, ""},
           {AddPeer{peer("pad", "alice", 2, {"10.0.0.2/32"})}, ""}});
  }
  void tearDown() override {
    usage_.reset();
    store_.reset();
    world_.reset();
  }

  void laps_write_what_has_changed() {
    carry("phone", 5);
    lap();
    CPPUNIT_ASSERT(stored_total() == traffic(5));
    CPPUNIT_ASSERT(!usage_->due(now_));  // ten seconds from one to the next
    pass_time(10);
    carry("phone", 1);
    carry("pad", 2);
    lap();
    CPPUNIT_ASSERT(stored_total() == traffic(8));
    apply({{RemovePeer{"pad"}, ""}});
    CPPUNIT_ASSERT(stored_total() == traffic(8));
    pass_time(10);
    lap();
    CPPUNIT_ASSERT(read_store(file_).users.at(0).life.past == traffic(2));
  }

  void a_lap_goes_on_slice_by_slice() {
    carry("phone", 1);
    carry("pad", 1);
    usage_->begin(now_);
    int slices = 1;
    for (; !usage_->go_on(Slice(std::chrono::seconds(-1))); ++slices) continue;
    wait();
    CPPUNIT_ASSERT(slices > 1);
    for (const StoredPeer& peer : read_store(file_).peers) {
      CPPUNIT_ASSERT(peer.life.traffic == traffic(1));
    }
  }

  void steps_are_written_when_they_are_over() {
    carry("phone", 3);
    lap();
    CPPUNIT_ASSERT((read_store(file_).users.at(0).life.step == UsageStep{kBegin, traffic(3)}));
    pass_time(kShortStep);
    carry("pad", 1);  // since the last lap: it goes to the step in which that was
    lap();
    const Database database(file_, Database::Access::kRead);
    const auto steps = HistoryRows::read(database, 1, kShortStep, kBegin, kBegin + kDayStep);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, steps.size());
    CPPUNIT_ASSERT((steps[0] == UsageStep{kBegin, traffic(4)}));
    CPPUNIT_ASSERT(read_store(file_).users.at(0).life.step == UsageStep{});
  }

  /// What a lap found waits, and no other lap begins until it is written.
  void a_disk_that_is_full_for_a_while_loses_nothing() {
    Database other(file_, Database::Access::kWrite);
    other.execute("BEGIN IMMEDIATE");  // nobody else may write
    carry("phone", 5);
    usage_->begin(now_);
    while (!usage_->go_on(Slice(std::chrono::seconds(1)))) continue;
    pass_time(60);
    CPPUNIT_ASSERT(!usage_->due(now_));
    other.execute("ROLLBACK");
    wait();
    CPPUNIT_ASSERT(usage_->due(now_));
    CPPUNIT_ASSERT(stored_total() == traffic(5));
  }

  void sums_agree_over_restarts() {
    std::mt19937 random(7);
    uint64_t carried = 0, written = 0;
    for (int i = 0; i < 300; ++i) {
      const auto dice = random() % 8;
      if (dice < 5) {
        const uint64_t n = random() % 100;
        carry(random() % 2 == 0 ? "phone" : "pad", n);
        carried += n;
      } else if (dice < 7) {
        pass_time(10 + random() % 400);
        lap();
        written = carried;
      } else {
        restart();  // a crash: what came since the last lap is gone
        carried = written;
      }
    }
    pass_time(10);
    lap();
    CPPUNIT_ASSERT(stored_total() == traffic(carried));
    CPPUNIT_ASSERT(history() == traffic(carried));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UsageTest);

}  // namespace
}  // namespace wirelay::ctrl
