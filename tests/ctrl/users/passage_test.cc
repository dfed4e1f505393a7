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
  void keep(std::span<const Prepared> requests) override {
    if (full) throw std::runtime_error("the disk is full");
    std::string page;
    for (const Prepared& kept : requests) {
      if (!page.empty()) page += ", ";
      page += kept.request->what + ' ' + std::to_string(kept.events.size());
    }
    written.push_back(page);
  }
  void take_back(std::span<const Prepared> requests) override {
    std::string page = "not";
    for (const Prepared& kept : requests) page += ' ' + kept.request->what;
    written.push_back(page);
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
  CPPUNIT_TEST(requests_are_kept_together);
  CPPUNIT_TEST(those_behind_one_that_fails_pass_without_it);
  CPPUNIT_TEST(nothing_is_told_of_requests_that_cannot_be_kept);
  CPPUNIT_TEST(numbers_are_given_once);
  CPPUNIT_TEST_SUITE_END();

  Registry registry_{{10, 10, 40}};
  Reluctant observer_;
  Pages journal_;

  ChangeRequest request(std::vector<Step> steps) {
    ChangeRequest request;
    request.what = "test";
    request.steps = std::move(steps);
    return request;
  }
  ChangeOutcome run(const ChangeRequest& request) {
    const auto tell = [](Telling& telling) {
      while (!telling.run(Slice(std::chrono::seconds(-1)))) continue;
      return true;
    };
    const ChangeRequest* const requests[] = {&request};
    return pass(registry_, observer_, &journal_, requests, tell)[0];
  }
  /// Together, each named by its place.
  std::vector<ChangeOutcome> run_all(std::vector<std::vector<Step>> all) {
    std::vector<ChangeRequest> requests;
    for (auto& steps : all) {
      requests.push_back(request(std::move(steps)));
      requests.back().what = std::to_string(requests.size());
    }
    std::vector<const ChangeRequest*> pointers;
    for (const ChangeRequest& one : requests) pointers.push_back(&one);
    const auto tell = [](Telling& telling) {
      while (!telling.run(Slice(std::chrono::seconds(-1)))) continue;
      return true;
    };
    return pass(registry_, observer_, &journal_, pointers, tell);
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

  /// Each sees those before it, and one that is refused is as if it had never come.
  void requests_are_kept_together() {
    const auto outcomes = run_all({{{AddUser{user("a")}, ""}},
                                   {{AddUser{user("a")}, "again"}},
                                   {{AddPeer{peer("phone", "a", 1, {"10.0.0.1/32"})}, ""}},
                                   {{AddPeer{peer("pad", "a", 2, {"10.0.0.1/32"})}, ""}},
                                   {{RemovePeer{"phone"}, ""}, {RemoveUser{"a"}, ""}},
                                   {{AddUser{user("b")}, ""}}});
    CPPUNIT_ASSERT(!outcomes[0].error && !outcomes[2].error && !outcomes[4].error);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes[1].error), Refused);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes[3].error), Refused);
    CPPUNIT_ASSERT(journal_.written == std::vector<std::string>{"1 1, 3 1, 5 2, 6 1"});
    CPPUNIT_ASSERT_EQUAL(contents_of({"b"}), contents(registry_));
  }

  void those_behind_one_that_fails_pass_without_it() {
    observer_.fails_at = 1;
    const auto outcomes = run_all({{{AddUser{user("a")}, ""}},
                                   {{AddUser{user("b")}, ""}},
                                   {{AddPeer{peer("phone", "b", 1, {})}, ""}},
                                   {{AddUser{user("c")}, ""}}});
    CPPUNIT_ASSERT(!outcomes[0].error && !outcomes[3].error);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes[1].error), std::runtime_error);
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcomes[2].error), Refused);
    CPPUNIT_ASSERT_EQUAL(contents_of({"a", "c"}), contents(registry_));
    const std::vector<std::string> expected = {"1 1, 2 1, 3 1, 4 1", "not 2 3 4", "4 1"};
    CPPUNIT_ASSERT(expected == journal_.written);
  }

  void nothing_is_told_of_requests_that_cannot_be_kept() {
    journal_.full = true;
    const auto outcomes = run_all({{{AddUser{user("a")}, ""}}, {{AddUser{user("b")}, ""}}});
    CPPUNIT_ASSERT(outcomes[0].error && outcomes[1].error);
    CPPUNIT_ASSERT(observer_.recorder.heard.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, outcomes[0].counts.users_added);
  }

  /// A user's number is nobody else's later, whether the user goes or never came to be.
  void numbers_are_given_once() {
    run_all({{{AddUser{user("a")}, ""}}, {{AddUser{user("b")}, ""}}});
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, registry_.user("a")->id);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, registry_.user("b")->id);
    run(request({{RemoveUser{"b"}, ""}}));
    run(request({{AddUser{user("c")}, ""},
                 {set_user("a", [](auto& c) { c.set(UserField::kUpRate, 1000); }), ""}}));
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, registry_.user("c")->id);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, registry_.user("a")->id);
  }

 private:
  static std::string contents_of(const std::vector<std::string>& users) {
    Registry other({10, 10, 40});
    RecordingObserver nobody;
    for (const std::string& name : users) test::pass(other, nobody, {{AddUser{user(name)}, ""}});
    return contents(other);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PassageTest);

}  // namespace
}  // namespace wirelay::ctrl
