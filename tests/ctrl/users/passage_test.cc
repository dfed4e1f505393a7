// Protects "nothing was changed": a request that fails in any of its phases leaves registry,
// observer and journal as they were, and a dry run only tells.
#include "ctrl/users/passage.h"

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

/// Fails at the event `fails_at`, counted from 0, and says "not yet" before each other one.
class Reluctant : public ChangeObserver {
 public:
  RecordingObserver recorder;
  size_t fails_at = SIZE_MAX;

  bool tell(const ChangeEvent& event) override {
    if (recorder.heard.size() == fails_at) {
      fails_at = SIZE_MAX;  // what is undone does not fail
      throw std::runtime_error("the table is full");
    }
    ready_ = !ready_;
    return !ready_ && recorder.tell(event);
  }

 private:
  bool ready_ = false;
};

struct Pages : Journal {
  std::vector<std::string> written;
  bool full = false;
  void keep(const ChangeRequest& request, std::span<const ChangeEvent> events) override {
    if (full) throw std::runtime_error("the disk is full");
    written.push_back(request.what + ' ' + std::to_string(events.size()));
  }
  void take_back(const ChangeRequest& request, std::span<const ChangeEvent>) override {
    written.push_back("not " + request.what);
  }
};

class PassageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PassageTest);
  CPPUNIT_TEST(is_kept_and_then_told);
  CPPUNIT_TEST(a_failure_at_any_event_undoes_all);
  CPPUNIT_TEST(what_cannot_be_kept_is_not_told);
  CPPUNIT_TEST(a_dry_run_tells_the_difference);
  CPPUNIT_TEST(slices_end_between_events);
  CPPUNIT_TEST(peers_hear_of_a_switched_user);
  CPPUNIT_TEST_SUITE_END();

  Registry registry_{{10, 10, 40}};
  Reluctant observer_;
  Pages journal_;

  ChangeRequest request(std::vector<Step> steps) {
    ChangeRequest request;
    request.what = "test";
    request.steps = [steps = std::move(steps)](const Registry&, const std::stop_token&) {
      return steps;
    };
    return request;
  }
  ChangeOutcome run(const ChangeRequest& request) {
    const auto tell = [](Telling& telling) {
      while (!telling.run(Slice(std::chrono::seconds(-1)))) continue;
      return true;
    };
    return pass(registry_, observer_, &journal_, request, tell);
  }
  void with_alice() {
    test::pass(registry_, observer_.recorder,
               {{AddUser{user("alice")}, ""},
                {AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, ""},
                {AddPeer{peer("pad", "alice", 2, {"10.0.0.2/32"})}, ""}});
    observer_.recorder.heard.clear();
  }
  static std::vector<Step> varied() {
    SetUser slower = set_user("alice", [](auto& c) { c.set(UserField::kUpRate, 1000); });
    return {{slower, ""},
            {RemovePeer{"pad"}, ""},
            {AddUser{user("bob")}, ""},
            {AddPeer{peer("tablet", "bob", 2, {"10.0.0.2/32"})}, ""},
            {set_allowed("phone", {"10.0.0.7/32"}), ""},
            {RemoveUser{"alice"}, ""}};
  }

 public:
  void is_kept_and_then_told() {
    with_alice();
    const ChangeOutcome outcome = run(request(varied()));
    CPPUNIT_ASSERT(!outcome.error);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.users_added);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.users_changed);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.users_removed);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.peers_added);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.peers_changed);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, outcome.counts.peers_removed);
    CPPUNIT_ASSERT(journal_.written == std::vector<std::string>{"test 7"});
    CPPUNIT_ASSERT(registry_.user("alice") == nullptr && registry_.peer("tablet") != nullptr);
  }

  void a_failure_at_any_event_undoes_all() {
    with_alice();
    const std::string before = contents(registry_);
    for (size_t at = 0; at < 7; ++at) {
      observer_.recorder.heard.clear();
      journal_.written.clear();
      observer_.fails_at = at;
      const ChangeOutcome outcome = run(request(varied()));
      CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcome.error), std::runtime_error);
      CPPUNIT_ASSERT_EQUAL(before, contents(registry_));
      // Each that was told was taken back.
      CPPUNIT_ASSERT_EQUAL(2 * at, observer_.recorder.heard.size());
      CPPUNIT_ASSERT_EQUAL(std::string("not test"), journal_.written.back());
      CPPUNIT_ASSERT_EQUAL(size_t{0}, outcome.counts.users_added);
    }
  }

  void what_cannot_be_kept_is_not_told() {
    with_alice();
    journal_.full = true;
    const std::string before = contents(registry_);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(run(request(varied())).error), std::runtime_error);
    CPPUNIT_ASSERT_EQUAL(before, contents(registry_));
    CPPUNIT_ASSERT(observer_.recorder.heard.empty() && journal_.written.empty());
  }

  void a_dry_run_tells_the_difference() {
    with_alice();
    const std::string before = contents(registry_);
    ChangeRequest dry = request(varied());
    dry.dry_run = true;
    const ChangeOutcome outcome = run(dry);
    CPPUNIT_ASSERT_EQUAL(before, contents(registry_));
    CPPUNIT_ASSERT(observer_.recorder.heard.empty() && journal_.written.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, outcome.counts.users_removed);
    const std::vector<std::string> expected = {
        R"(~ user alice: limits.up.rate: "unlimited" to "1K")",
        "- peer pad",
        "+ user bob",
        "+ peer tablet",
        R"(~ peer phone: allowed_ips: ["10.0.0.1/32"] to ["10.0.0.7/32"])",
        "- peer phone",
        "- user alice"};
    CPPUNIT_ASSERT(expected == outcome.difference);
    // A secret is told of, not told.
    SetPeer secret;
    secret.change.name = "phone";
    secret.change.set<PeerField::kPresharedKey>(crypto::Secret(test_key(5)));
    dry = request({{secret, ""}});
    dry.dry_run = true;
    const std::vector<std::string> told = run(dry).difference;
    CPPUNIT_ASSERT_EQUAL(std::string("~ peer phone: has_preshared_key: false to true"),
                         told.front());
  }

  void slices_end_between_events() {
    const std::vector<ChangeEvent> events = {
        UserEvent{nullptr, std::make_shared<const UserSpec>(user("a"))},
        UserEvent{nullptr, std::make_shared<const UserSpec>(user("b"))}};
    Telling telling(registry_, observer_.recorder, events);
    CPPUNIT_ASSERT(!telling.run(Slice(std::chrono::seconds(-1))));
    CPPUNIT_ASSERT(registry_.user("a") != nullptr && registry_.user("b") == nullptr);
    CPPUNIT_ASSERT(telling.run(Slice(std::chrono::seconds(-1))));
    CPPUNIT_ASSERT(registry_.user("b") != nullptr);
  }

  void peers_hear_of_a_switched_user() {
    with_alice();
    run(request({{set_user("alice", [](auto& c) { c.set(UserField::kEnabled, 0); }), ""}}));
    const std::vector<std::string> expected = {"user~ alice", "peer~ pad", "peer~ phone"};
    CPPUNIT_ASSERT(expected == observer_.recorder.heard);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PassageTest);

}  // namespace
}  // namespace wirelay::ctrl
