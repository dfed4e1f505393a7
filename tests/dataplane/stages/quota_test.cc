// Protects: a quota counts what it is to count and nothing else, over all of a user's devices and
// workers; at its end nothing passes, or what its rate lets pass, from that very packet on; and no
// worker lets more than a burst pass beyond it.
#include <atomic>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/stages/quota_tab.h"
#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;
using Counts = QuotaCounts;

Bytes kilobyte_up(const Client& c) { return udp({c.inner4, 1}, kServer, pattern(972)); }
Bytes kilobyte_down(const Client& c) { return udp(kServer, {c.inner4, 1}, pattern(972)); }

void feed_up(DataPath& d, Client& c, int packets, uint16_t queue = 0) {
  for (int i = 0; i < packets; ++i) d.feed(0, d.tunnelled(c, kilobyte_up(c)), queue);
}
void feed_kilobytes_down(DataPath& d, const Client& c, int packets, uint16_t queue = 0) {
  for (int i = 0; i < packets; ++i) d.feed(1, d.from_gateway(kilobyte_down(c)), queue);
}

/// What came out, without what senders are told.
struct Passed {
  size_t up = 0, down = 0;
};
Passed take(DataPath& d) {
  Passed passed;
  for (const Bytes& frame : d.sent(1)) passed.up += frame.size() > 900;
  for (const Bytes& frame : d.sent(0)) passed.down += frame.size() > 900;
  return passed;
}
Passed offer(DataPath& d, Client& c, int packets) {
  feed_up(d, c, packets);
  feed_kilobytes_down(d, c, packets);
  d.poll();
  return take(d);
}

}  // namespace

class QuotaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(QuotaTest);
  CPPUNIT_TEST(the_last_one_passes_and_then_none);
  CPPUNIT_TEST(both_ways_together);
  CPPUNIT_TEST(either_way_for_itself);
  CPPUNIT_TEST(what_does_not_count_is_free);
  CPPUNIT_TEST(what_is_over_a_limit_is_not_charged);
  CPPUNIT_TEST(a_rate_holds_from_the_last_byte_on);
  CPPUNIT_TEST(limits_hold_beside_it);
  CPPUNIT_TEST(devices_and_workers_share_it);
  CPPUNIT_TEST(a_worker_goes_no_more_than_a_burst_beyond);
  CPPUNIT_TEST(users_in_turn_are_charged_each);
  CPPUNIT_TEST(peer_to_peer_is_charged_to_both);
  CPPUNIT_TEST(what_the_relay_says_is_free);
  CPPUNIT_TEST(use_goes_on_over_changes);
  CPPUNIT_TEST(begins_anew);
  CPPUNIT_TEST(an_ended_user_comes_back);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_last_one_passes_and_then_none() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 9'500, .counts = Counts::kUp});
    feed_up(d, c, 40);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{10}, take(d).up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{30}, d.drops(Drop::kQuotaUp));
    CPPUNIT_ASSERT_EQUAL(uint64_t{30}, d.shared->users[c.user].dropped_up.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, d.shared->users.quota(c.user).use().up);
    // What passed is the session's; what did not is not.
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, d.session(c).rx_bytes.load());
  }

  void both_ways_together() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 30'000, .counts = Counts::kBoth});
    Passed first = offer(d, c, 10);
    CPPUNIT_ASSERT(first.up == 10 && first.down == 10);
    feed_kilobytes_down(d, c, 20);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{10}, take(d).down);
    const Passed rest = offer(d, c, 5);
    CPPUNIT_ASSERT(rest.up == 0 && rest.down == 0);
    const QuotaUse use = d.shared->users.quota(c.user).use();
    CPPUNIT_ASSERT(use.up == 10'000 && use.down == 20'000);
  }

  void either_way_for_itself() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kEach});
    feed_up(d, c, 20);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{10}, take(d).up);
    const Passed passed = offer(d, c, 8);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, passed.up);
    CPPUNIT_ASSERT_EQUAL(size_t{8}, passed.down);
  }

  void what_does_not_count_is_free() {
    for (const bool up : {true, false}) {
      DataPath d;
      Client c = d.add_client();
      d.give_quota(c, {.bytes = 10'000, .counts = up ? Counts::kUp : Counts::kDown});
      const Passed passed = offer(d, c, 30);
      CPPUNIT_ASSERT_EQUAL(size_t{up ? 10u : 30u}, passed.up);
      CPPUNIT_ASSERT(up ? passed.down == 30 : passed.down == 10);
    }
  }

  void what_is_over_a_limit_is_not_charged() {
    DataPath d;
    Client c = d.add_client();
    const DirectionLimits ten{.bits_per_second = 80'000, .burst_bytes = 10'000};
    d.limit(c, {ten, ten});
    d.give_quota(c, {.bytes = 15'000, .counts = Counts::kEach});
    offer(d, c, 30);
    const QuotaUse use = d.shared->users.quota(c.user).use();
    CPPUNIT_ASSERT(use.up == 10'000 && use.down == 10'000);
    d.now += 10 * DataPath::kHz;
    const Passed passed = offer(d, c, 30);
    CPPUNIT_ASSERT(passed.up == 5 && passed.down == 5);
  }

  void a_rate_holds_from_the_last_byte_on() {
    DataPath d;
    Client c = d.add_client();
    // Its burst: 32 KiB, the least.
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kEach, .throttle_bits = 80'000});
    Passed passed = offer(d, c, 60);
    CPPUNIT_ASSERT_EQUAL(size_t{10 + 32}, passed.up);
    CPPUNIT_ASSERT_EQUAL(size_t{10 + 32}, passed.down);
    CPPUNIT_ASSERT_EQUAL(uint64_t{18}, d.drops(Drop::kThrottleUp));
    d.now += DataPath::kHz;  // 10,000 bytes more
    passed = offer(d, c, 60);
    CPPUNIT_ASSERT(passed.up == 10 && passed.down == 10);
    CPPUNIT_ASSERT_EQUAL(uint64_t{52'000}, d.shared->users.quota(c.user).use().up);
  }

  void limits_hold_beside_it() {
    DataPath d;
    Client c = d.add_client();
    d.limit(c, {{.bits_per_second = 80'000, .burst_bytes = 12'000}, {}});
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kUp, .throttle_bits = 8'000'000});
    feed_up(d, c, 60);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{12}, take(d).up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{48}, d.drops(Drop::kRateUp) + d.drops(Drop::kThrottleUp));
  }

  void devices_and_workers_share_it() {
    DataPathOptions options;
    options.workers = options.queues = 2;
    DataPath d(options);
    Client a = d.add_client(false, 0), b = d.add_client(true, 1);
    d.shared->peers[b.peer].user = a.user;
    d.give_quota(a, {.bytes = 100'000, .counts = Counts::kBoth});
    for (int round = 0; round < 20; ++round) {
      feed_up(d, a, 3, 0);
      feed_up(d, b, 2, 1);
      feed_kilobytes_down(d, a, 2, 1);
      feed_kilobytes_down(d, b, 3, 0);
      d.poll();
    }
    const Passed passed = take(d);
    CPPUNIT_ASSERT(passed.up + passed.down >= 100);
    CPPUNIT_ASSERT(passed.up + passed.down <= 102);  // two of the four bursts of the last round
    const QuotaUse use = d.shared->users.quota(a.user).use();
    CPPUNIT_ASSERT_EQUAL(1000 * (passed.up + passed.down), size_t{use.up + use.down});
  }

  /// Threads that judge bursts at the same time: nothing is charged twice or lost, and each goes
  /// beyond the quota by the burst in which it ended at most.
  void a_worker_goes_no_more_than_a_burst_beyond() {
    constexpr uint32_t kWorkers = 4, kBytes = 1000;
    constexpr uint64_t kQuota = 40'000'000;
    UserTable users(1, DataPath::kHz);
    users.set_quota(0, {.bytes = kQuota, .counts = Counts::kBoth}, 0);
    std::atomic<uint64_t> passed{0};
    std::vector<std::thread> threads;
    for (uint32_t id = 0; id < kWorkers; ++id) {
      threads.emplace_back([&, way = id % 2 == 0 ? Way::kUp : Way::kDown] {
        uint64_t mine = 0;
        for (bool spent = false; !spent;) {
          stages::QuotaTab tab(users, way);
          for (uint16_t i = 0; i < kBurstSize; ++i) {
            spent = tab.spent(0, users.flags(0));
            if (spent) break;
            tab.charge(kBytes);
            mine += kBytes;
          }
        }
        passed += mine;
      });
    }
    for (std::thread& t : threads) t.join();
    const QuotaUse use = users.quota(0).use();
    CPPUNIT_ASSERT_EQUAL(passed.load(), use.up + use.down);
    CPPUNIT_ASSERT(passed >= kQuota && passed <= kQuota + kWorkers * kBurstSize * kBytes);
  }

  void users_in_turn_are_charged_each() {
    DataPath d;
    Client a = d.add_client(), b = d.add_client(), free = d.add_client();
    d.give_quota(a, {.bytes = 5'000, .counts = Counts::kBoth});
    d.give_quota(b, {.bytes = 7'000, .counts = Counts::kBoth});
    for (int i = 0; i < 20; ++i) {
      feed_up(d, a, 1);
      feed_up(d, free, 1);
      feed_up(d, b, 1);
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{5 + 7 + 20}, take(d).up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5'000}, d.shared->users.quota(a.user).use().up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{7'000}, d.shared->users.quota(b.user).use().up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.shared->users.quota(free.user).use().up);
  }

  void peer_to_peer_is_charged_to_both() {
    DataPath d;
    Client from = d.add_client(), to = d.add_client();
    d.give_quota(from, {.bytes = 10'000, .counts = Counts::kUp});
    d.give_quota(to, {.bytes = 6'000, .counts = Counts::kDown});
    for (int i = 0; i < 20; ++i)
      d.feed(0, d.tunnelled(from, udp({from.inner4, 1}, {to.inner4, 2}, pattern(972))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{6}, take(d).down);
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, d.drops(Drop::kQuotaUp));
    CPPUNIT_ASSERT_EQUAL(uint64_t{4}, d.drops(Drop::kQuotaDown));
  }

  /// Its senders are told, though nothing is left either way.
  void what_the_relay_says_is_free() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 1'000, .counts = Counts::kBoth});
    feed_up(d, c, 3);
    feed_kilobytes_down(d, c, 3);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{2}, d.sent(0).size());      // of its second and third packet
    CPPUNIT_ASSERT_EQUAL(size_t{1 + 3}, d.sent(1).size());  // its first, and what hosts are told
    const QuotaUse use = d.shared->users.quota(c.user).use();
    CPPUNIT_ASSERT(use.up == 1'000 && use.down == 0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, d.all_drops());
  }

  void use_goes_on_over_changes() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kUp});
    feed_up(d, c, 20);
    d.poll();
    take(d);
    d.give_quota(c, {.bytes = 13'000, .counts = Counts::kBoth});
    feed_up(d, c, 20);
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{3}, take(d).up);
    d.give_quota(c, {.bytes = 5'000, .counts = Counts::kBoth});  // less than was used
    Passed passed = offer(d, c, 5);
    CPPUNIT_ASSERT(passed.up == 0 && passed.down == 0);
    d.give_quota(c, {});
    passed = offer(d, c, 50);
    CPPUNIT_ASSERT(passed.up == 50 && passed.down == 50);
  }

  void begins_anew() {
    DataPath d;
    Client c = d.add_client();
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kEach});
    d.shared->users.add_use(c.user, {.up = 4'000, .down = 0});  // kept from before
    Passed passed = offer(d, c, 20);
    CPPUNIT_ASSERT(passed.up == 6 && passed.down == 10);
    const QuotaUse use = d.shared->users.take_use(c.user);
    CPPUNIT_ASSERT(use.up == 10'000 && use.down == 10'000);
    passed = offer(d, c, 20);
    CPPUNIT_ASSERT(passed.up == 10 && passed.down == 10);
    d.shared->users.reset(c.user, 0);  // another user gets the number
    passed = offer(d, c, 20);
    CPPUNIT_ASSERT(passed.up == 20 && passed.down == 20);
    d.give_quota(c, {.bytes = 10'000, .counts = Counts::kEach});
    passed = offer(d, c, 20);
    CPPUNIT_ASSERT(passed.up == 10 && passed.down == 10);
  }

  void an_ended_user_comes_back() {
    DataPath d;
    Client c = d.add_client();
    d.shared->users.set_ended(c.user, true);
    Passed passed = offer(d, c, 10);
    CPPUNIT_ASSERT(passed.up == 0 && passed.down == 0);
    CPPUNIT_ASSERT_EQUAL(uint64_t{20}, d.drops(Drop::kUserExpired));
    d.shared->users.set_ended(c.user, false);
    passed = offer(d, c, 10);
    CPPUNIT_ASSERT(passed.up == 10 && passed.down == 10);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(QuotaTest);

}  // namespace wirelay::dataplane
