// Protects what docs/api.md tells of a request that is told in slices: whoever looks on sees its
// changes come one by one in the documented order, each of them whole, and when one fails midway
// they go again, the last first.
#include <algorithm>
#include <stdexcept>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/users/door.h"
#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

/// Fails the change that `failing` names, as a full table would.
class FailingObserver : public RecordingObserver {
 public:
  std::string failing;

  bool tell(const ChangeEvent& event) override {
    RecordingObserver::tell(event);
    if (heard.back() == failing) throw std::runtime_error("no room");
    return true;
  }
};

const RegistryLimits kLimits{10, 10, 10};

class ViewTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ViewTest);
  CPPUNIT_TEST(changes_come_one_by_one_in_order);
  CPPUNIT_TEST(what_fails_midway_goes_again);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    begin(registry_);
    observer_.heard.clear();
    seen_ = {contents(registry_)};
  }

  void changes_come_one_by_one_in_order() {
    const ChangeOutcome outcome = submit();
    CPPUNIT_ASSERT(!outcome.error);
    const std::vector<std::string> order = {
        "user+ new",    "peer+ new-1",               // a user before its peers
        "peer~ poor-1", "peer+ new-2",               // who loses an address before who gets it
        "user~ poor",   "peer~ poor-1",              // a user before what follows for its peers
        "peer- old-1",  "peer- old-2",  "user- old"  // a user behind its peers
    };
    CPPUNIT_ASSERT(observer_.heard == order);
    CPPUNIT_ASSERT_EQUAL(order.size(), seen_.size());  // one of them shows nothing
    Registry other{kLimits};
    begin(other);
    auto view = seen_.begin();
    for (const Step& step : steps()) {
      pass(other, observer_, {step});
      view = std::find(view, seen_.end(), contents(other));
      CPPUNIT_ASSERT(view != seen_.end());
    }
    CPPUNIT_ASSERT(view + 1 == seen_.end());
  }

  void what_fails_midway_goes_again() {
    observer_.failing = "peer- old-2";
    const ChangeOutcome outcome = submit();
    CPPUNIT_ASSERT_THROW(std::rethrow_exception(outcome.error), std::runtime_error);
    // Six that show came, and went.
    CPPUNIT_ASSERT_EQUAL(size_t{13}, seen_.size());
    CPPUNIT_ASSERT(std::equal(seen_.begin(), seen_.end(), seen_.rbegin()));
  }

 private:
  static void begin(Registry& registry) {
    RecordingObserver nobody;
    pass(registry, nobody,
         {{AddUser{user("old")}, ""},
          {AddPeer{peer("old-1", "old", 1, {"10.0.0.1/32"})}, ""},
          {AddPeer{peer("old-2", "old", 2, {"10.0.0.2/32"})}, ""},
          {AddUser{user("poor")}, ""},
          {AddPeer{peer("poor-1", "poor", 3, {"10.0.0.3/32"})}, ""}});
  }

  static std::vector<Step> steps() {
    return {{AddUser{user("new")}, ""},
            {AddPeer{peer("new-1", "new", 4, {"10.0.0.4/32"})}, ""},
            {AddPeer{peer("new-2", "new", 5, {"10.0.0.3/32"}), true}, ""},
            {set_user("poor", [](UserChange& change) { change.set(UserField::kEnabled, 0); }), ""},
            {RemoveUser{"old"}, ""}};
  }

  /// Through the door, a change a turn, and looks on in between.
  ChangeOutcome submit() {
    ChangeOutcome result;
    Door door(registry_, observer_, loop_, agenda_);
    loop_.repeat([this] {
      agenda_.run(Slice(std::chrono::seconds(-1)));
      const std::string now = contents(registry_);
      if (now != seen_.back()) seen_.push_back(now);
      return std::chrono::milliseconds(0);
    });
    ChangeRequest request;
    request.steps = steps();
    door.submit(std::move(request), [&](ChangeOutcome outcome) {
      loop_.post([&, outcome = std::move(outcome)] {
        result = outcome;
        loop_.stop();
      });
    });
    loop_.run();
    return result;
  }

  EventLoop loop_;
  Agenda agenda_;
  Registry registry_{kLimits};
  FailingObserver observer_;
  std::vector<std::string> seen_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ViewTest);

}  // namespace
}  // namespace wirelay::ctrl
