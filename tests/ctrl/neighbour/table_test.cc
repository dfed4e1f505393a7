// Protects: that the table of neighbours is bounded and shared out fairly, that who is needed least
// makes room, and that no call walks a large one.
#include <cppunit/extensions/HelperMacros.h>

#include <rte_mempool.h>

#include "tests/ctrl/neighbour/fixture.h"

namespace wirelay::test {

class NeighbourTableTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(NeighbourTableTest);
  CPPUNIT_TEST(who_is_sent_to_makes_no_room_for_others);
  CPPUNIT_TEST(entries_that_are_leaving_count_as_room);
  CPPUNIT_TEST(sweep_over_a_network_leaves_the_resolved);
  CPPUNIT_TEST(askers_make_room_before_all_others);
  CPPUNIT_TEST(full_share_is_counted_once_for_each_packet);
  CPPUNIT_TEST(sweep_over_one_port_leaves_the_share_of_another);
  CPPUNIT_TEST_SUITE_END();

 public:
  /// Hosts that told us of themselves, and that workers send to without asking us.
  void who_is_sent_to_makes_no_room_for_others() {
    note("192.0.2.50");
    shared_->adjacencies[lookup("192.0.2.50").id()].used.store(true);
    for (int i = 0; i < 100; ++i) {
      note(("192.0.2." + std::to_string(100 + i)).c_str());
      shared_->rcu.poll();
    }
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(std::string(), state_of("192.0.2.100"));
  }

  /// Numbers of entries that are gone are free only after a grace period: until then it helps
  /// nobody when more of them go.
  void entries_that_are_leaving_count_as_room() {
    for (int i = 0; i < 200; ++i) note(("192.0.2." + std::to_string(50 + i)).c_str());
    CPPUNIT_ASSERT(neighbours_->counters().table_full > 0);
    CPPUNIT_ASSERT(neighbours_->status().size() + 20 > kShare);
  }

  void sweep_over_a_network_leaves_the_resolved() {
    resolve("192.0.2.50", kHost);
    const uint16_t path = route("192.0.2.51");
    neighbours_->hold(path);
    for (int i = 0; i < 2000; ++i) {
      const std::string to = "2001:db8:1::aa:" + std::to_string(i);
      punt(ip(addr("fd00::2"), addr(to.c_str()), kUdp, pattern(40)), 0, dataplane::kNoAdjacency);
      sent();
      tick(kSecond / 100);
      shared_->rcu.poll();
    }
    CPPUNIT_ASSERT(neighbours_->status().size() <= shared_->adjacencies.capacity());
    CPPUNIT_ASSERT_EQUAL(std::string("resolved"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT_EQUAL(path, route("192.0.2.51"));
    CPPUNIT_ASSERT(!state_of("198.51.100.254").empty());
    // And there is still room for who comes next.
    CPPUNIT_ASSERT(resolve("192.0.2.99", kOther) != dataplane::kNoAdjacency);
  }

  /// Whoever asks for us is noted, under as many names as he likes.
  void askers_make_room_before_all_others() {
    punt(to("192.0.2.50"), 0, dataplane::kNoAdjacency);  // asked for, and not here yet
    for (int i = 0; i < 150; ++i) {
      note(("192.0.2." + std::to_string(100 + i)).c_str());
      shared_->rcu.poll();
    }
    CPPUNIT_ASSERT_EQUAL(std::string("probing"), state_of("192.0.2.50"));
    CPPUNIT_ASSERT(neighbours_->status().size() <= kShare + 1);  // and the other port's gateway
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().table_full);
  }

  void full_share_is_counted_once_for_each_packet() {
    for (int i = 0; i < 200; ++i) {
      punt(to(("192.0.2." + std::to_string(10 + i)).c_str()), 0, dataplane::kNoAdjacency);
    }
    sent();
    const ctrl::NeighbourCounters& c = neighbours_->counters();
    CPPUNIT_ASSERT(c.table_full >= 200 - kShare);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, c.no_route);
    const uint64_t waiting = rte_mempool_in_use_count(pool_);
    CPPUNIT_ASSERT_EQUAL(uint64_t{200}, c.table_full + c.held_dropped + waiting);
  }

  void sweep_over_one_port_leaves_the_share_of_another() {
    for (int i = 0; i < 200; ++i) {  // and no grace period ends
      punt(to(("192.0.2." + std::to_string(10 + i)).c_str()), 0, dataplane::kNoAdjacency);
    }
    const uint64_t full = neighbours_->counters().table_full;
    CPPUNIT_ASSERT(full != 0);
    for (int i = 0; i < 50; ++i) {
      const std::string host = "198.51.100." + std::to_string(10 + i);
      punt(to(host.c_str()), 1, dataplane::kNoAdjacency);
      CPPUNIT_ASSERT_EQUAL(std::string("probing"), state_of(host.c_str()));
      sent();
    }
    CPPUNIT_ASSERT_EQUAL(full, neighbours_->counters().table_full);
  }

 private:
  static constexpr size_t kShare = 64;  // of each of two ports

  static Bytes to(const char* host) { return ip(addr("10.0.0.2"), addr(host), kUdp, pattern(40)); }

  /// A host asks for us, and so tells us of itself.
  void note(const char* host) {
    receive(ethernet(kWan, kHost, kTypeArp, arp(kRequest, kHost, addr(host), addr("192.0.2.1"))));
    sent();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NeighbourTableTest);

/// Ten times a second a round, in slices.
class LargeNeighbourTableTest : public NeighbourFixture {
  CPPUNIT_TEST_SUITE(LargeNeighbourTableTest);
  CPPUNIT_TEST(one_tick_looks_at_a_tenth_of_a_large_table);
  CPPUNIT_TEST(status_tells_of_a_thousand);
  CPPUNIT_TEST_SUITE_END();

 public:
  LargeNeighbourTableTest() : NeighbourFixture(8192) {}

  void one_tick_looks_at_a_tenth_of_a_large_table() {
    add_hosts();
    const uint64_t asked = neighbours_->counters().asked;
    uint64_t before = asked;
    for (int i = 0; i < 11; ++i) {
      tick(i == 0 ? kSecond : 0);
      sent();
      const uint64_t now = neighbours_->counters().asked;
      CPPUNIT_ASSERT(now - before <= kHosts / 10 + 1);
      before = now;
    }
    CPPUNIT_ASSERT(before - asked >= kHosts);
  }

  void status_tells_of_a_thousand() {
    add_hosts();
    CPPUNIT_ASSERT_EQUAL(size_t{1000}, neighbours_->status().size());
    CPPUNIT_ASSERT(!state_of("198.51.100.254").empty());
  }

 private:
  static constexpr unsigned kHosts = 2000;

  void add_hosts() {
    for (unsigned i = 0; i < kHosts; ++i) {
      const std::string host = "2001:db8:1::aa:" + std::to_string(i);
      punt(ip(addr("fd00::2"), addr(host.c_str()), kUdp, {}), 0, dataplane::kNoAdjacency);
      sent();
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, neighbours_->counters().table_full);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LargeNeighbourTableTest);

}  // namespace wirelay::test
