// Protects the users' limits: what passes is what the operator set, to a thousandth, over any
// sizes, threads and changes, and no state of long ago blocks a user or gives more than a burst.
#include "dataplane/tables/user.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kTscHz = 2'100'000'000;
constexpr uint64_t kSecond = kPoliceHz;
constexpr uint64_t kMillisecond = kSecond / 1000;
constexpr uint64_t kStart = 1234 * kSecond;

UserLimits both(uint64_t bits, uint64_t burst = 0, uint64_t packets = 0) {
  return {{bits, burst, packets}, {bits, burst, packets}};
}

/// The same bucket in floating point: `depth` units, refilled at `rate` a second.
class Bucket {
 public:
  Bucket(double rate, double depth) : rate_(rate), depth_(depth), level_(depth) {}
  bool has(double seconds, double units) {
    level_ = std::min(depth_, level_ + (seconds - last_) * rate_);
    last_ = seconds;
    return level_ >= units;
  }
  void take(double units) { level_ -= units; }
  [[nodiscard]] double level() const { return level_; }

 private:
  double rate_, depth_, level_, last_ = 0;
};

class UserTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(UserTest);
  CPPUNIT_TEST(time_follows_the_tsc);
  CPPUNIT_TEST(unlimited_passes_all);
  CPPUNIT_TEST(a_burst_and_then_the_rate);
  CPPUNIT_TEST(default_bursts);
  CPPUNIT_TEST(precise_from_8_kbit_to_100_gbit);
  CPPUNIT_TEST(packet_rates_are_precise);
  CPPUNIT_TEST(agrees_with_a_bucket);
  CPPUNIT_TEST(charges_neither_when_one_refuses);
  CPPUNIT_TEST(directions_are_apart);
  CPPUNIT_TEST(faster_holds_at_once);
  CPPUNIT_TEST(slower_holds_at_once);
  CPPUNIT_TEST(changes_give_nothing_away);
  CPPUNIT_TEST(from_unlimited_starts_with_a_burst);
  CPPUNIT_TEST(long_idle_gives_one_burst);
  CPPUNIT_TEST(clocks_of_workers_may_differ);
  CPPUNIT_TEST(reset_forgets);
  CPPUNIT_TEST(threads_share_one_limit);
  CPPUNIT_TEST(threads_charge_exactly);
  CPPUNIT_TEST(threads_and_changes);
  CPPUNIT_TEST_SUITE_END();

  UserTable table_{4, kTscHz};
  Policer& up_ = table_[0].up;

  void limit(const UserLimits& limits, uint64_t now = kStart) { table_.set_limits(0, limits, now); }

  /// Bytes that pass when packets of `size` are offered as fast as possible at one moment.
  uint64_t drain(uint64_t now, uint32_t size = 1000) {
    uint64_t bytes = 0;
    while (up_.police(now, size) == Police::kPass) bytes += size;
    return bytes;
  }

  void time_follows_the_tsc() {
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, table_.time(0));
    const auto hours = [&](uint64_t h) { return table_.time(h * 3600 * kTscHz); };
    for (const uint64_t h : {1, 1000}) {
      const double ratio = static_cast<double>(hours(h)) / (3600.0 * h * kSecond);
      CPPUNIT_ASSERT_DOUBLES_EQUAL(1, ratio, 1e-9);
    }
    // It wraps, and differences stay right.
    CPPUNIT_ASSERT_DOUBLES_EQUAL(3600.0 * kSecond, static_cast<double>(hours(8001) - hours(8000)),
                                 3600.0 * kSecond * 1e-9);
  }

  void unlimited_passes_all() {
    CPPUNIT_ASSERT(up_.unlimited());
    for (int i = 0; i < 100; ++i) CPPUNIT_ASSERT(up_.police(kStart, 65535) == Police::kPass);
    limit(both(1000));
    CPPUNIT_ASSERT(!up_.unlimited());
    limit({{kUnlimited, 0, 10}, {}});
    CPPUNIT_ASSERT(!up_.unlimited() && table_[0].down.unlimited());
    CPPUNIT_ASSERT_EQUAL(kLimitedUp, table_.flags(0));
    limit({{}, {1000, 0, 0}});
    CPPUNIT_ASSERT_EQUAL(kLimitedDown, table_.flags(0));
    limit({});
    CPPUNIT_ASSERT(up_.unlimited());
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, table_.flags(0));
  }

  void a_burst_and_then_the_rate() {
    limit(both(8'000'000, 50'000));  // a byte each microsecond
    CPPUNIT_ASSERT_EQUAL(uint64_t{50'000}, drain(kStart));
    CPPUNIT_ASSERT(up_.police(kStart + 999 * kSecond / 1'000'000, 1000) == Police::kOverBits);
    CPPUNIT_ASSERT(up_.police(kStart + kMillisecond, 1000) == Police::kPass);
    CPPUNIT_ASSERT(up_.police(kStart + kMillisecond, 1) == Police::kOverBits);
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(kStart + 11 * kMillisecond));
    CPPUNIT_ASSERT_EQUAL(uint64_t{50'000}, drain(kStart + kSecond));
  }

  void default_bursts() {
    limit(both(80'000'000));
    CPPUNIT_ASSERT_EQUAL(uint64_t{2'500'000}, drain(kStart));
    limit(both(64'000), kStart + 60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{32 * 1024}, drain(kStart + 60 * kSecond, 1024));
    limit(both(64'000, 1), kStart + 120 * kSecond);
    CPPUNIT_ASSERT_EQUAL(kMinBurstBytes, drain(kStart + 120 * kSecond, 1024));
    limit({{0, 0, 5000}, {}}, kStart);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1250}, drain(kStart, 1));
    limit({{0, 0, 10}, {}}, kStart + 60 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{32}, drain(kStart + 60 * kSecond, 1));
  }

  /// Offers `size` bytes whenever they may pass, for `packets` packets behind the burst, and
  /// returns the rate in units a second.
  double rate_of(uint64_t packets, uint32_t size, uint64_t step) {
    uint64_t now = kStart;
    drain(now, size);
    const uint64_t first = now;
    for (uint64_t passed = 0; passed < packets; now += step) {
      while (passed < packets && up_.police(now, size) == Police::kPass) ++passed;
    }
    return static_cast<double>(packets) / (static_cast<double>(now - first) / kSecond);
  }

  void precise_from_8_kbit_to_100_gbit() {
    for (const uint64_t rate :
         {8'000ull, 1'000'000ull, 20'000'000ull, 9'999'999'999ull, 100'000'000'000ull}) {
      for (const uint32_t size : {64u, 577u, 1500u, 9000u}) {
        limit({});
        limit(both(rate, 100'000));
        const uint64_t packet_time = static_cast<uint64_t>(8.0 * size / rate * kSecond);
        const double measured = rate_of(10'000, size, packet_time * 7 / 2) * size * 8;
        CPPUNIT_ASSERT_DOUBLES_EQUAL(1, measured / static_cast<double>(rate), 0.001);
      }
    }
  }

  void packet_rates_are_precise() {
    for (const uint64_t rate : {10ull, 12'345ull, 148'800'000ull}) {
      limit({});
      limit({{0, 0, rate}, {}});
      const double measured = rate_of(10'000, 1, 7 * kSecond / rate / 2);
      CPPUNIT_ASSERT_DOUBLES_EQUAL(1, measured / static_cast<double>(rate), 0.001);
    }
  }

  void agrees_with_a_bucket() {
    std::mt19937_64 random(10);
    limit(both(8'000'000, 20'000, 1000));
    Bucket bytes(1'000'000, 20'000), packets(1000, 250);
    uint64_t now = kStart;
    uint64_t passed = 0, over_bits = 0, over_packets = 0;
    for (int i = 0; i < 200'000; ++i) {
      now += random() % (random() % 100 == 0 ? 100 * kMillisecond : kMillisecond);
      const auto size = static_cast<uint32_t>(random() % (i / 1000 % 2 == 0 ? 500 : 1400) + 1);
      const double seconds = static_cast<double>(now - kStart) / kSecond;
      const bool enough_bytes = bytes.has(seconds, size), enough_packets = packets.has(seconds, 1);
      const Police verdict = up_.police(now, size);
      // Where the two hardly differ, rounding decides.
      const bool close =
          std::abs(bytes.level() - size) < 0.01 || std::abs(packets.level() - 1) < 1e-5;
      const Police expected = !enough_bytes     ? Police::kOverBits
                              : !enough_packets ? Police::kOverPackets
                                                : Police::kPass;
      CPPUNIT_ASSERT(close || verdict == expected);
      if (verdict == Police::kPass) {
        bytes.take(size);
        packets.take(1);
      }
      passed += verdict == Police::kPass;
      over_bits += verdict == Police::kOverBits;
      over_packets += verdict == Police::kOverPackets;
    }
    CPPUNIT_ASSERT(passed > 1000 && over_bits > 1000 && over_packets > 1000);
  }

  void charges_neither_when_one_refuses() {
    limit(both(8'000'000, 10'000, 100));  // 32 packets
    for (int i = 0; i < 1000; ++i) {
      CPPUNIT_ASSERT(up_.police(kStart, 20'000) == Police::kOverBits);
    }
    for (int i = 0; i < 32; ++i) CPPUNIT_ASSERT(up_.police(kStart, 100) == Police::kPass);
    for (int i = 0; i < 1000; ++i) {
      CPPUNIT_ASSERT(up_.police(kStart, 100) == Police::kOverPackets);
    }
    limit(both(8'000'000, 10'000));  // the bytes that are left
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000 - 3'200}, drain(kStart, 100));
  }

  void directions_are_apart() {
    limit(both(8'000'000, 10'000));
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(kStart));
    CPPUNIT_ASSERT(table_[0].down.police(kStart, 10'000) == Police::kPass);
    CPPUNIT_ASSERT(table_[0].down.police(kStart, 1) == Police::kOverBits);
  }

  void faster_holds_at_once() {
    limit(both(8'000, 1'000'000));  // a burst of 1,000 seconds
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'000'000}, drain(kStart));
    limit(both(80'000'000));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, drain(kStart));  // nothing is given
    CPPUNIT_ASSERT_EQUAL(uint64_t{100'000}, drain(kStart + 10 * kMillisecond));
  }

  void slower_holds_at_once() {
    limit(both(80'000'000'000));
    drain(kStart);
    limit(both(8'000'000, 10'000));
    CPPUNIT_ASSERT(drain(kStart) <= 10'000);
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(kStart + 10 * kMillisecond));
  }

  void changes_give_nothing_away() {
    limit(both(8'000'000, 10'000));
    drain(kStart);
    uint64_t passed = 0;
    for (int i = 1; i <= 1000; ++i) {
      limit(both(i % 2 == 0 ? 8'000'000 : 8'000'001, 10'000 + i % 3),
            kStart + i * kSecond / 100'000);
      passed += drain(kStart + i * kSecond / 100'000, 10);
    }
    CPPUNIT_ASSERT_DOUBLES_EQUAL(10'000, static_cast<double>(passed), 20);  // 10 ms at the rate
  }

  void from_unlimited_starts_with_a_burst() {
    limit(both(8'000, 1'000'000));
    drain(kStart);
    limit({});
    CPPUNIT_ASSERT(up_.police(kStart, 1) == Police::kPass);
    limit(both(8'000'000, 10'000));
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(kStart));
  }

  void long_idle_gives_one_burst() {
    limit(both(8'000'000, 10'000));
    uint64_t now = kStart;
    for (const uint64_t days : {1, 52, 53, 103, 105, 155, 157, 207, 209, 1000}) {
      drain(now);
      now += days * 86'400 * kSecond;  // wraps again and again
      CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(now));
    }
  }

  void clocks_of_workers_may_differ() {
    limit(both(8'000'000, 10'000));
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, drain(kStart + 500 * kMillisecond));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, drain(kStart));  // a worker that read its clock before
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, drain(kStart + 500 * kMillisecond));
  }

  void reset_forgets() {
    limit(both(8'000, 1'000'000));
    drain(kStart);
    table_[0].dropped_up = 5;
    table_[0].dropped_down = 6;
    table_.reset(0, kStart);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1'000'000}, drain(kStart));
    CPPUNIT_ASSERT(table_[0].dropped_up == 0 && table_[0].dropped_down == 0);
  }

  /// Two rates, four threads, one clock that they push on together: not a byte too much, and at the
  /// end not a packet too few.
  void threads_share_one_limit() {
    constexpr uint64_t kBurst = 100'000, kTick = kSecond / 1'000'000;  // 1,000 bytes
    limit(both(8'000'000'000, kBurst, 2'000'000));
    std::atomic<uint64_t> clock{kStart}, passed{0}, packets{0};
    on_threads(4, [&](std::mt19937& random) {
      const auto size = static_cast<uint32_t>(random() % 1400 + 60);
      if (up_.police(clock.load(), size) == Police::kPass) {
        passed += size;
        ++packets;
      }
      if (random() % 4 == 0) clock += kTick;
    });
    while (up_.police(clock, 60) == Police::kPass) passed += 60, ++packets;

    const uint64_t ticks = (clock - kStart) / kTick;
    CPPUNIT_ASSERT(passed <= kBurst + ticks * 1000);
    CPPUNIT_ASSERT(packets <= 500'000 + ticks * 2);
    CPPUNIT_ASSERT(passed > ticks * 900);  // offered was more than the rate all the time
  }

  /// Where threads take each other's turn, what they took back is given back to the unit.
  void threads_charge_exactly() {
    limit(both(8'000'000'000, 10'000'000'000, 800'000));  // a byte takes 1,024 units exactly
    std::atomic<uint64_t> passed{0}, packets{0};
    on_threads(4, [&](std::mt19937& random) {
      const auto size = static_cast<uint32_t>(random() % 1400 + 60);
      if (up_.police(kStart, size) == Police::kPass) {
        passed += size;
        ++packets;
      }
    });
    CPPUNIT_ASSERT_EQUAL(passed * 1024, up_.bits.arrival - kStart);
    CPPUNIT_ASSERT_EQUAL(packets * (kSecond / 800'000), up_.packets.arrival - kStart);
    CPPUNIT_ASSERT_EQUAL(uint64_t{200'000}, packets.load());  // the burst
  }

  /// Calls `work` 100,000 times on each of some threads.
  static void on_threads(unsigned count, const std::function<void(std::mt19937&)>& work) {
    std::vector<std::thread> threads;
    for (unsigned id = 0; id < count; ++id) {
      threads.emplace_back([&work, id] {
        std::mt19937 random(id);
        for (int i = 0; i < 100'000; ++i) work(random);
      });
    }
    for (std::thread& t : threads) t.join();
  }

  /// A charge by old limits that comes in behind new ones leaves no debt beyond them, which would
  /// block the user; nor do the changes give credit.
  void threads_and_changes() {
    const UserLimits slow = both(8'000, 1'000'000'000), fast = both(8'000'000'000, 100'000);
    constexpr uint64_t kFastBurst = kSecond / 10'000, kByte = kSecond / 1'000'000'000;
    limit(fast);
    Rcu rcu(2);
    test::ReaderThreads threads(rcu, 2, [&](unsigned) {
      for (int i = 0; i < 100; ++i) up_.police(kStart, 1);  // by the slow limits a millisecond each
    });
    for (int round = 0; round < 3000; ++round) {
      drain(kStart, 1);
      limit(slow);
      threads.pace();
      limit(fast);
      threads.pace();  // no call that began before is left
      const uint64_t ahead = up_.bits.arrival - kStart;
      CPPUNIT_ASSERT(ahead <= kFastBurst);
      CPPUNIT_ASSERT(ahead > kFastBurst - kByte);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UserTest);

}  // namespace

}  // namespace wirelay::dataplane
