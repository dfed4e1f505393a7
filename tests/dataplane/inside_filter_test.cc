// Protects: an address that a prefix inside the tunnels holds is never taken for an outside one,
// whatever comes, goes and changes what it leads to; and most others are told from it.
#include <algorithm>
#include <random>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/tables/prefix_writer.h"
#include "tests/support/packets.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

struct Table {
  Rcu rcu{1};
  PrefixTable table{64};
  PrefixWriter writer{table, rcu};
  void set(const char* text, RouteKind kind) {
    CPPUNIT_ASSERT(writer.set(prefix(text), RouteTarget::make(kind, 1)));
  }
  bool inside(const char* text) const { return table.may_be_inside(addr(text)); }
};

}  // namespace

class InsideFilterTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(InsideFilterTest);
  CPPUNIT_TEST(peers_and_our_own_are_inside);
  CPPUNIT_TEST(short_prefixes_hold_all_that_is_in_them);
  CPPUNIT_TEST(what_goes_or_leads_elsewhere_is_outside_again);
  CPPUNIT_TEST(a_full_table_leaves_nothing_behind);
  CPPUNIT_TEST(random_changes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void peers_and_our_own_are_inside() {
    Table t;
    CPPUNIT_ASSERT(!t.inside("10.0.1.2") && !t.inside("fd00::1"));
    t.set("10.0.1.2/32", RouteKind::kPeer);
    t.set("fd00::1/128", RouteKind::kLocal);
    t.set("0.0.0.0/0", RouteKind::kVia);
    t.set("::/0", RouteKind::kVia);
    t.set("198.51.100.0/24", RouteKind::kConnected);
    CPPUNIT_ASSERT(t.inside("10.0.1.2") && t.inside("fd00::1"));
    CPPUNIT_ASSERT(!t.inside("203.0.113.9") && !t.inside("2001:db8::9") &&
                   !t.inside("198.51.100.7"));
  }

  void short_prefixes_hold_all_that_is_in_them() {
    Table t;
    t.set("10.64.0.0/10", RouteKind::kPeer);
    CPPUNIT_ASSERT(t.inside("10.64.0.1") && t.inside("10.127.255.255") && t.inside("10.99.3.4"));
    CPPUNIT_ASSERT(!t.inside("10.63.255.255") && !t.inside("10.128.0.0"));
    t.set("2001::/16", RouteKind::kPeer);
    CPPUNIT_ASSERT(t.inside("2001:ffff::1") && t.inside("2001::1"));
    t.set("0.0.0.0/0", RouteKind::kPeer);
    CPPUNIT_ASSERT(t.inside("203.0.113.9") && t.inside("0.0.0.0") && t.inside("255.255.255.255"));
  }

  void what_goes_or_leads_elsewhere_is_outside_again() {
    Table t;
    t.set("10.0.1.2/32", RouteKind::kPeer);
    t.set("10.0.1.3/32", RouteKind::kPeer);
    t.set("10.0.1.3/32", RouteKind::kPeer);  // counts once
    CPPUNIT_ASSERT(t.writer.remove(prefix("10.0.1.2/32")));
    CPPUNIT_ASSERT(t.inside("10.0.1.3"));
    t.set("10.0.1.3/32", RouteKind::kVia);
    CPPUNIT_ASSERT(!t.inside("10.0.1.3"));
    t.set("10.0.1.3/32", RouteKind::kPeer);
    CPPUNIT_ASSERT(t.inside("10.0.1.3"));
    CPPUNIT_ASSERT(t.writer.remove(prefix("10.0.1.3/32")));
    CPPUNIT_ASSERT(!t.writer.remove(prefix("10.0.1.3/32")));
    CPPUNIT_ASSERT(!t.inside("10.0.1.3"));
  }

  void a_full_table_leaves_nothing_behind() {
    Table t;
    for (uint8_t i = 0; i < 64; ++i) {
      const uint8_t bytes[4] = {10, i, 0, 1};
      CPPUNIT_ASSERT(t.writer.set({IpAddr::v4(bytes), 128}, RouteTarget::make(RouteKind::kPeer)));
    }
    CPPUNIT_ASSERT(!t.writer.set(prefix("172.16.0.1/32"), RouteTarget::make(RouteKind::kPeer)));
    CPPUNIT_ASSERT(!t.inside("172.16.0.1"));
    CPPUNIT_ASSERT(t.inside("10.63.0.1"));
  }

  void random_changes() {
    Table t;
    std::mt19937 random{20261128};
    std::vector<Prefix> peers;
    for (int step = 0; step < 2000; ++step) {
      uint8_t bytes[16] = {0x20, 1};
      for (size_t i = 2; i < 8; ++i) bytes[i] = static_cast<uint8_t>(random() % 3);
      const bool v4 = random() % 2 == 0;
      const auto length = static_cast<uint8_t>(v4 ? 104 + random() % 25 : 20 + random() % 80);
      const IpAddr a = v4 ? IpAddr::v4(bytes + 1) : IpAddr::v6(bytes);
      const Prefix p{mask_to(a, length), length};
      if (peers.size() < 40 && std::find(peers.begin(), peers.end(), p) == peers.end()) {
        CPPUNIT_ASSERT(t.writer.set(p, RouteTarget::make(RouteKind::kPeer, 7)));
        peers.push_back(p);
      } else if (!peers.empty()) {
        CPPUNIT_ASSERT(t.writer.remove(peers.back()));
        peers.pop_back();
        t.rcu.poll();
      }
      for (const Prefix& held : peers) CPPUNIT_ASSERT(t.table.may_be_inside(held.addr));
    }
    for (const Prefix& held : peers) CPPUNIT_ASSERT(t.writer.remove(held));
    for (const Prefix& held : peers) CPPUNIT_ASSERT(!t.table.may_be_inside(held.addr));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(InsideFilterTest);

}  // namespace wirelay::dataplane
