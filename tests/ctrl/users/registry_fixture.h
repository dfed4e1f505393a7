// A small registry, and requests to it that pass or are refused.
#pragma once

#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/users/registry.h"
#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

class RegistryFixture : public CppUnit::TestFixture {
 protected:
  RecordingObserver observer_;
  Registry registry_{{4,
                      6,
                      20,
                      {prefix("10.77.0.1/32"), prefix("fd77::1/128"), prefix("198.51.100.0/24")},
                      {prefix("203.0.113.0/24")},
                      test_key(99),
                      {{address("198.51.100.1"), "the relay's own address"}},
                      true,
                      false}};

  void apply(const std::vector<Change>& changes) {
    std::vector<Step> steps;
    for (size_t i = 0; i < changes.size(); ++i) {
      steps.push_back({changes[i], "steps[" + std::to_string(i) + "]"});
    }
    test::pass(registry_, observer_, std::move(steps));
  }

  /// The problems with which the request is refused; fails when it is not, or changed anything.
  std::vector<Problem> refused(const std::vector<Change>& changes) {
    const std::string before = contents(registry_);
    const auto heard = observer_.heard;
    try {
      apply(changes);
    } catch (const Refused& found) {
      CPPUNIT_ASSERT_EQUAL(before, contents(registry_));
      CPPUNIT_ASSERT(heard == observer_.heard);
      return found.problems;
    }
    CPPUNIT_FAIL("was not refused");
    return {};
  }

  void assert_refused(const std::vector<Change>& changes, const std::string& path,
                      const std::string& words) {
    const auto problems = refused(changes);
    CPPUNIT_ASSERT_EQUAL(path, problems.front().path);
    CPPUNIT_ASSERT_MESSAGE(problems.front().message,
                           problems.front().message.find(words) != std::string::npos);
  }

  static dataplane::IpAddr address(const std::string& text) { return *dataplane::parse_ip(text); }

  void with_alice() {
    apply({AddUser{user("alice")}, AddPeer{peer("phone", "alice", 1, {"10.0.0.0/24"})}});
    observer_.heard.clear();
  }
};

}  // namespace wirelay::ctrl
