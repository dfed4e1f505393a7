// Protects the timers' punctuality with as many peers as a relay has: 100,000 are connected and
// idle, and nobody's timer is more than 250 ms late.
#include "tests/ctrl/protocol/many_peers.h"

#include <algorithm>
#include <vector>

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::test {

namespace {

constexpr uint32_t kMany = 100'000;
constexpr uint32_t kWatchEvery = 100;
constexpr uint16_t kKeepalive = 25;  // seconds
constexpr uint64_t kPhase = kMillisecond;
constexpr uint64_t kLatest = 250 * kMillisecond;

/// Some of them have a keepalive, which falls due for one after the other.
class Watched {
 public:
  Watched(Parts& parts, uint64_t first_due) : parts_(parts) {
    for (uint32_t peer = 0; peer < kMany; peer += kWatchEvery) {
      ctrl::PeerState& s = parts.ctx.state(peer);
      const uint64_t due = first_due + due_.size() * kPhase;
      s.keepalive = kKeepalive;
      s.sent = due - kKeepalive * kSecond;
      due_.push_back(due);
    }
    late_.resize(due_.size(), kNever);
  }

  void look() {
    const uint64_t now = parts_.ctx.now.tsc;
    for (size_t i = 0; i < due_.size(); ++i) {
      if (late_[i] != kNever) continue;
      const auto peer = static_cast<uint32_t>(i * kWatchEvery);
      if (parts_.sessions.activity(peer).sent == 0) continue;
      CPPUNIT_ASSERT(now >= due_[i]);
      late_[i] = now - due_[i];
    }
  }

  [[nodiscard]] uint64_t last_due() const { return due_.back(); }
  [[nodiscard]] uint64_t latest() const { return *std::ranges::max_element(late_); }

 private:
  static constexpr uint64_t kNever = UINT64_MAX;
  Parts& parts_;
  std::vector<uint64_t> due_, late_;
};

class ManyPeersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ManyPeersTest);
  CPPUNIT_TEST(no_timer_is_late);
  CPPUNIT_TEST(no_timer_is_late_when_turns_are_long);
  CPPUNIT_TEST_SUITE_END();

  void no_timer_is_late() { CPPUNIT_ASSERT(latest_with_ticks_every(10 * kMillisecond) <= kLatest); }

  /// Each tick waits for the longest turn that there may be.
  void no_timer_is_late_when_turns_are_long() {
    CPPUNIT_ASSERT(latest_with_ticks_every(15 * kMillisecond) <= kLatest);
  }

  static uint64_t latest_with_ticks_every(uint64_t interval) {
    rte_mempool* pool =
        rte_pktmbuf_pool_create("many_peers", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    CPPUNIT_ASSERT(pool != nullptr);
    uint64_t latest = 0;
    {
      const ctrl::Now now{1000 * kSecond, 1000 * kSecond, 1000 * kSecond};
      Side side(1, now, {.users = 4, .peers = kMany, .sessions = 4 * kMany, .prefixes = 64}, pool,
                kMillisecond, nullptr);
      Parts parts(side);
      add_peers(parts, kMany);
      connect_peers(parts, kMany);
      const auto tick = [&] {
        parts.ctx.now.ns += interval;
        parts.ctx.now.tsc += interval;
        parts.timers.tick();
      };
      for (int i = 0; i < 40; ++i) tick();  // in its stride
      Watched watched(parts, parts.ctx.now.tsc + kSecond);
      while (parts.ctx.now.tsc < watched.last_due() + 2 * kLatest) {
        tick();
        watched.look();
      }
      latest = watched.latest();
    }
    rte_mempool_free(pool);
    return latest;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ManyPeersTest);

}  // namespace

}  // namespace wirelay::test
