// Protects: every way to lose a packet has a name, and every name a way. Each case provokes one
// drop, and that drop alone; a drop of the list that no case provokes fails the test, and so does a
// buffer that does not come back.
#include "dataplane/drops.h"

#include <set>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/drop_cases.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

std::vector<DropCase> all_cases() {
  std::vector<DropCase> cases;
  add_ingress_cases(cases);
  add_message_cases(cases);
  add_inbound_cases(cases);
  add_limit_cases(cases);
  add_quota_cases(cases);
  add_forward_cases(cases);
  add_outbound_cases(cases);
  add_nat_cases(cases);
  add_ring_cases(cases);
  return cases;
}

void check(const DropCase& c) {
  DataPath d(c.options);
  c.provoke(d);
  const std::string seen =
      std::string(drop_info(c.drop).name) + ", " + c.what + ": " + d.drop_text();
  CPPUNIT_ASSERT_MESSAGE(seen, d.drops(c.drop) >= 1);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(seen, d.drops(c.drop), d.all_drops());
  d.sent(0);
  d.sent(1);
  d.discard_punts();
  CPPUNIT_ASSERT_EQUAL_MESSAGE(seen, 0u, d.mbufs_in_use());
}

}  // namespace

class DropsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DropsTest);
  CPPUNIT_TEST(every_case_is_counted_under_its_name_alone);
  CPPUNIT_TEST(every_drop_has_a_case);
  CPPUNIT_TEST(names_are_distinct_and_explained);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_case_is_counted_under_its_name_alone() {
    for (const DropCase& c : all_cases()) check(c);
  }

  void every_drop_has_a_case() {
    std::set<Drop> provoked;
    for (const DropCase& c : all_cases()) provoked.insert(c.drop);
    for (size_t d = 0; d < kDropCount; ++d) {
      CPPUNIT_ASSERT_MESSAGE(std::string(kDrops[d].name),
                             provoked.count(static_cast<Drop>(d)) == 1);
    }
  }

  void names_are_distinct_and_explained() {
    std::set<std::string_view> names;
    for (const DropInfo& info : kDrops) {
      CPPUNIT_ASSERT(!info.name.empty() && !info.text.empty());
      CPPUNIT_ASSERT_MESSAGE(std::string(info.name), names.insert(info.name).second);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DropsTest);

}  // namespace wirelay::dataplane
