// Protects: limits hold for a user, over all of its peers and all workers, each direction and each
// rate by itself; only packets that are believed draw on them.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/data_path.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr DirectionLimits kTenKilobytes{.bits_per_second = 80'000, .burst_bytes = 10'000};

Bytes thousand(const Client& c) { return udp({c.inner4, 1}, kServer, pattern(972)); }

}  // namespace

class PoliceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PoliceTest);
  CPPUNIT_TEST(inner_bytes_are_charged);
  CPPUNIT_TEST(directions_are_apart);
  CPPUNIT_TEST(all_workers_and_peers_of_a_user_share_the_limit);
  CPPUNIT_TEST(unauthentic_and_repeated_packets_cost_nothing);
  CPPUNIT_TEST(peer_to_peer_passes_both_limits);
  CPPUNIT_TEST_SUITE_END();

 public:
  void inner_bytes_are_charged() {
    DataPath d;
    Client c = d.add_client();
    d.limit(c, {.up = kTenKilobytes, .down = {}});
    for (int i = 0; i < 20; ++i) d.feed(0, d.tunnelled(c, thousand(c)));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{10}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, d.drops(Drop::kRateUp));
    d.now += DataPath::kHz / 2;  // five thousand bytes more
    for (int i = 0; i < 20; ++i) d.feed(0, d.tunnelled(c, thousand(c)));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{5}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{25}, d.shared->users[c.user].dropped_up.load());
  }

  void directions_are_apart() {
    DataPath d;
    Client c = d.add_client();
    d.limit(c, {.up = {}, .down = kTenKilobytes});
    for (int i = 0; i < 20; ++i) {
      d.feed(0, d.tunnelled(c, thousand(c)));
      d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(972))));
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{20}, d.sent(1).size());
    CPPUNIT_ASSERT_EQUAL(size_t{10}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, d.shared->users[c.user].dropped_down.load());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, d.shared->users[c.user].dropped_up.load());
  }

  void all_workers_and_peers_of_a_user_share_the_limit() {
    DataPathOptions options;
    options.workers = options.queues = 2;
    DataPath d(options);
    Client a = d.add_client(false, 0), b = d.add_client(true, 1);
    d.shared->peers[b.peer].user = a.user;
    d.limit(a, {.up = kTenKilobytes, .down = {}});
    for (int i = 0; i < 20; ++i) {
      d.feed(0, d.tunnelled(a, thousand(a)), 0);
      d.feed(0, d.tunnelled(b, thousand(b)), 1);
    }
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{10}, d.sent(1).size());
  }

  void unauthentic_and_repeated_packets_cost_nothing() {
    DataPath d;
    Client c = d.add_client();
    d.limit(c, {.up = kTenKilobytes, .down = {}});
    const Bytes first = d.tunnelled(c, thousand(c));
    for (int i = 0; i < 50; ++i) d.feed(0, first);
    for (int i = 0; i < 50; ++i) {
      Bytes forged = d.tunnelled(c, thousand(c));
      forged.back() ^= 1;
      d.feed(0, forged);
    }
    for (int i = 0; i < 9; ++i) d.feed(0, d.tunnelled(c, thousand(c)));
    d.poll();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(d.drop_text(), size_t{10}, d.sent(1).size());
  }

  void peer_to_peer_passes_both_limits() {
    DataPath d;
    Client from = d.add_client(), to = d.add_client();
    d.limit(from, {.up = kTenKilobytes, .down = {}});
    d.limit(to, {.up = {}, .down = {.bits_per_second = 80'000, .burst_bytes = 9'500}});
    for (int i = 0; i < 20; ++i)
      d.feed(0, d.tunnelled(from, udp({from.inner4, 1}, {to.inner4, 2}, pattern(972))));
    d.poll();
    CPPUNIT_ASSERT_EQUAL(size_t{9}, d.sent(0).size());
    CPPUNIT_ASSERT_EQUAL(uint64_t{10}, d.drops(Drop::kRateUp));
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, d.drops(Drop::kRateDown));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PoliceTest);

}  // namespace wirelay::dataplane
