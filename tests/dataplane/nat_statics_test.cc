// Protects: a rule of NAT leads the same way in and out, ports before addresses, and to nothing
// that it does not name.
#include "dataplane/tables/nat_statics.h"

#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>

namespace wirelay::dataplane {

namespace {

constexpr uint16_t be(uint16_t port) { return __builtin_bswap16(port); }

}  // namespace

class NatStaticsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatStaticsTest);
  CPPUNIT_TEST(without_rules_nothing_leads_anywhere);
  CPPUNIT_TEST(ports_lead_either_way);
  CPPUNIT_TEST(addresses_keep_their_ports);
  CPPUNIT_TEST(many);
  CPPUNIT_TEST_SUITE_END();

 public:
  void without_rules_nothing_leads_anywhere() {
    const NatStatics none({});
    CPPUNIT_ASSERT(none.empty() && !none.inward(1, IPPROTO_TCP, 80) && !none.outward(0, 0, 0));
  }

  void ports_lead_either_way() {
    const NatStatics rules({{.address = 7,
                             .inside = 9,
                             .protocol = IPPROTO_TCP,
                             .port = 8000,
                             .inside_port = 80,
                             .count = 3}});
    const auto in = rules.inward(7, IPPROTO_TCP, be(8002));
    CPPUNIT_ASSERT(in && in->address == 9 && in->port == be(82));
    const auto out = rules.outward(9, IPPROTO_TCP, be(81));
    CPPUNIT_ASSERT(out && out->address == 7 && out->port == be(8001));
    CPPUNIT_ASSERT(!rules.inward(7, IPPROTO_UDP, be(8002)));
    CPPUNIT_ASSERT(!rules.inward(7, IPPROTO_TCP, be(8003)));
    CPPUNIT_ASSERT(!rules.inward(8, IPPROTO_TCP, be(8002)));
    CPPUNIT_ASSERT(!rules.outward(7, IPPROTO_TCP, be(8002)));
  }

  void addresses_keep_their_ports() {
    const NatStatics rules(
        {{.address = 7, .inside = 9},
         {.address = 8, .inside = 9, .protocol = IPPROTO_UDP, .port = 53, .inside_port = 53}});
    const auto in = rules.inward(7, IPPROTO_TCP, be(443));
    CPPUNIT_ASSERT(in && in->address == 9 && in->port == be(443));
    CPPUNIT_ASSERT_EQUAL(7u, rules.outward(9, IPPROTO_TCP, be(53))->address);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("the port's rule", 8u,
                                 rules.outward(9, IPPROTO_UDP, be(53))->address);
  }

  void many() {
    std::vector<NatStatic> all;
    for (uint32_t i = 1; i <= 3000; ++i) all.push_back({.address = i * 64, .inside = ~i});
    const NatStatics rules(all);
    for (uint32_t i = 1; i <= 3000; ++i) {
      CPPUNIT_ASSERT_EQUAL(~i, rules.inward(i * 64, IPPROTO_UDP, 5)->address);
      CPPUNIT_ASSERT_EQUAL(i * 64, rules.outward(~i, 0, 0)->address);
      CPPUNIT_ASSERT(!rules.inward(i * 64 + 1, IPPROTO_UDP, 5));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatStaticsTest);

}  // namespace wirelay::dataplane
