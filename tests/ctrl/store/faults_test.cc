// Protects what was acknowledged: whichever call of the disk fails, once, for ever, or because the
// power is gone in the middle of a write, the store holds what was said to be done, and nothing
// that was refused.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/store/faulty_files.h"
#include "tests/ctrl/store/store_fixture.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

class StoreFaultsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(StoreFaultsTest);
  CPPUNIT_TEST(a_call_fails_once);
  CPPUNIT_TEST(the_disk_is_full_from_some_call_on);
  CPPUNIT_TEST(the_power_is_gone_at_any_call);
  CPPUNIT_TEST_SUITE_END();

  struct Run {
    std::vector<std::string> done;  // the registry after each request that was acknowledged, and
                                    // before the first
    std::string in_doubt;           // as it would be with the last that was refused; "" for none
    size_t refused = 0, calls = 0;
  };

  /// Some of everything; each is refused or done.
  static std::vector<std::vector<Step>> requests() {
    std::vector<std::vector<Step>> all;
    all.push_back(
        {{AddUser{user("alice")}, ""}, {AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, ""}});
    std::vector<Step> many;
    for (int i = 0; i < 30; ++i) many.push_back({AddUser{user("u" + std::to_string(i))}, ""});
    all.push_back(std::move(many));
    all.push_back({{set_user("alice", [](auto& c) { c.set(UserField::kUpRate, 9000); }), ""},
                   {set_allowed("phone", {"10.0.0.2/32", "fd00::2/128"}), ""}});
    all.push_back({{AddPeer{peer("pad", "alice", 2, {"10.0.0.3/32"})}, ""}});
    all.push_back({{RemovePeer{"phone"}, ""}, {RemoveUser{"u3"}, ""}});
    all.push_back({{RemoveUser{"alice"}, ""}});
    return all;
  }

  /// The history, upon a new store, with a fault at call `at`.
  Run run(const std::string& file, size_t at, Fault fault) {
    Run result;
    KeptRegistry kept;
    result.done.push_back(contents(kept.registry));
    FaultyFiles::fail_at(at, fault);
    try {
      Store store(file, FaultyFiles::name());
      for (const auto& steps : requests()) {
        if (result.refused != 0 && fault != Fault::kOnce) break;
        if (!kept.pass(store, steps)) {
          ++result.refused;
          result.in_doubt = state_after(result.done.size());
          // A disk that was full for a moment takes the same again.
          if (fault != Fault::kOnce || !store.refusal().empty()) break;
          CPPUNIT_ASSERT(kept.pass(store, steps));
        }
        result.done.push_back(contents(kept.registry));
      }
    } catch (const StoreError&) {
      result.refused = 1;
    }
    result.calls = FaultyFiles::calls();
    FaultyFiles::heal();
    return result;
  }
  /// Of a registry that has taken the first `n` requests.
  static std::string state_after(size_t n) {
    KeptRegistry kept;
    for (const auto& steps : requests()) {
      if (n-- == 0) break;
      test::pass(kept.registry, kept.observer, steps);
    }
    return contents(kept.registry);
  }

  /// At each call in turn, until the fault comes too late.
  template <typename Check>
  void at_each_call(Fault fault, Check check) {
    FaultyFiles::heal();
    for (size_t at = 0;; ++at) {
      const test::TempDir dir;
      const std::string file = dir.path("relay.db");
      const Run result = run(file, at, fault);
      const std::string message = "fault at call " + std::to_string(at);
      std::string found;
      {
        Store again(file);  // a recovery, from what lies there
        CPPUNIT_ASSERT_MESSAGE(message, again.refusal().empty());
        found = contents(again.read());
      }
      check(message, result, found);
      if (result.calls <= at) {
        CPPUNIT_ASSERT_EQUAL(size_t{0}, result.refused);
        CPPUNIT_ASSERT_MESSAGE("some calls", at > 30);
        return;
      }
    }
  }

 public:
  void a_call_fails_once() {
    size_t refused = 0;
    at_each_call(Fault::kOnce, [&](const std::string& message, const Run& run, const auto& found) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(message, run.done.back(), found);
      refused += run.refused != 0 ? 1 : 0;
    });
    CPPUNIT_ASSERT(refused > 10);
  }

  void the_disk_is_full_from_some_call_on() {
    at_each_call(Fault::kFull, [](const std::string& message, const Run& run, const auto& found) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(message, run.done.back(), found);
    });
  }

  /// The request under way may have reached the disk just before; no other.
  void the_power_is_gone_at_any_call() {
    at_each_call(Fault::kDead, [](const std::string& message, const Run& run, const auto& found) {
      CPPUNIT_ASSERT_MESSAGE(message + " found:\n" + found,
                             found == run.done.back() || found == run.in_doubt);
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StoreFaultsTest);

}  // namespace
}  // namespace wirelay::ctrl
