// Protects the door between threads: requests pass one behind the other in the order in which they
// came, in slices of the control thread, and the end waits for none of them.
#include "ctrl/users/door.h"

#include <atomic>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

/// Keeps nothing before it is told to, and counts.
class SlowPages : public Journal {
 public:
  void keep(std::span<const Prepared> requests) override {
    std::unique_lock lock(mutex_);
    kept.push_back(requests.size());
    changed_.wait(lock, [this] { return open_; });
  }
  void take_back(std::span<const Prepared>) override {}
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  size_t times() {
    const std::lock_guard lock(mutex_);
    return kept.size();
  }
  std::vector<size_t> kept;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace

class DoorTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DoorTest);
  CPPUNIT_TEST(requests_pass_in_order);
  CPPUNIT_TEST(readers_see_steps_in_their_order);
  CPPUNIT_TEST(a_refusal_comes_back);
  CPPUNIT_TEST(ends_with_requests_under_way);
  CPPUNIT_TEST(what_waits_is_kept_together);
  CPPUNIT_TEST_SUITE_END();

  static ChangeRequest request(std::vector<Step> steps) {
    ChangeRequest request;
    request.steps = std::move(steps);
    return request;
  }

  EventLoop loop_;
  Agenda agenda_;
  Registry registry_{{2000, 10, 10}};
  RecordingObserver observer_;

  void turn_with_short_slices() {
    loop_.repeat([this] {
      agenda_.run(Slice(std::chrono::seconds(-1)));
      return std::chrono::milliseconds(agenda_.empty() ? 1 : 0);
    });
  }

 public:
  void requests_pass_in_order() {
    turn_with_short_slices();
    Door door(registry_, observer_, loop_, agenda_);
    constexpr int kRequests = 50;
    std::vector<size_t> seen;  // by the door's thread alone, then by us
    for (int i = 0; i < kRequests; ++i) {
      // Each removes what the one before has added.
      std::vector<Step> steps;
      if (i > 0) steps.push_back({RemoveUser{"u" + std::to_string(i - 1)}, ""});
      steps.push_back({AddUser{user("u" + std::to_string(i))}, ""});
      door.submit(request(std::move(steps)), [&, i](const ChangeOutcome& outcome) {
        seen.push_back(outcome.counts.users_added);
        if (i == kRequests - 1) loop_.post([this] { loop_.stop(); });
      });
    }
    loop_.run();
    CPPUNIT_ASSERT_EQUAL(size_t{kRequests}, seen.size());
    CPPUNIT_ASSERT(seen == std::vector<size_t>(kRequests, 1));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, registry_.user_count());
    CPPUNIT_ASSERT(registry_.user("u49") != nullptr);
  }

  void readers_see_steps_in_their_order() {
    Door door(registry_, observer_, loop_, agenda_);
    std::vector<Step> steps;
    for (int i = 0; i < 1000; ++i) steps.push_back({AddUser{user("u" + std::to_string(i))}, ""});
    size_t partly = 0;
    loop_.repeat([&] {
      agenda_.run(Slice(std::chrono::seconds(-1)));
      const size_t n = registry_.user_count();
      CPPUNIT_ASSERT(n == 0 || registry_.user("u" + std::to_string(n - 1)) != nullptr);
      partly += n > 0 && n < 1000 ? 1 : 0;
      return std::chrono::milliseconds(0);
    });
    door.submit(request(std::move(steps)),
                [this](const ChangeOutcome&) { loop_.post([this] { loop_.stop(); }); });
    loop_.run();
    CPPUNIT_ASSERT_EQUAL(size_t{1000}, registry_.user_count());
    CPPUNIT_ASSERT(partly > 100);
  }

  void a_refusal_comes_back() {
    turn_with_short_slices();
    Door door(registry_, observer_, loop_, agenda_);
    std::exception_ptr error;
    door.submit(request({{AddUser{user("a")}, ""}, {RemoveUser{"b"}, "params"}}),
                [&](const ChangeOutcome& outcome) {
                  error = outcome.error;
                  loop_.post([this] { loop_.stop(); });
                });
    loop_.run();
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(error), Refused);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, registry_.user_count());
    CPPUNIT_ASSERT(observer_.heard.empty());
  }

  void what_waits_is_kept_together() {
    turn_with_short_slices();
    SlowPages pages;
    int done = 0;  // by the door's thread alone, then by us
    Door door(registry_, observer_, loop_, agenda_, &pages);
    const auto submit = [&](const std::string& name) {
      door.submit(request({{AddUser{user(name)}, ""}}), [&](const ChangeOutcome& outcome) {
        CPPUNIT_ASSERT(!outcome.error);
        if (++done == 101) loop_.post([this] { loop_.stop(); });
      });
    };
    submit("first");
    while (pages.times() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (int i = 0; i < 100; ++i) submit("u" + std::to_string(i));
    pages.open();
    loop_.run();
    CPPUNIT_ASSERT_EQUAL(size_t{101}, registry_.user_count());
    CPPUNIT_ASSERT((pages.kept == std::vector<size_t>{1, 100}));
  }

  /// One is being prepared, one waits to be told by a loop that does not turn, or neither.
  void ends_with_requests_under_way() {
    for (int round = 0; round < 20; ++round) {
      std::atomic<int> done{0};
      {
        Door door(registry_, observer_, loop_, agenda_);
        for (int i = 0; i < 3; ++i) {
          door.submit(request({{AddUser{user("a")}, ""}}), [&](const ChangeOutcome&) { ++done; });
        }
        if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(round));
      }
      CPPUNIT_ASSERT_EQUAL(0, done.load());
      CPPUNIT_ASSERT_EQUAL(size_t{0}, registry_.user_count());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DoorTest);

}  // namespace wirelay::ctrl
