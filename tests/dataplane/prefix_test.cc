// Protects the longest match: exactly what a plain list of prefixes says, for one address and for
// bursts, through every kind of change, and for readers that race with them.
#include "dataplane/tables/prefix.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/burst.h"
#include "dataplane/tables/prefix_writer.h"
#include "tests/dataplane/named.h"
#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

/// The longest match by looking at all prefixes.
class Model {
 public:
  std::map<Prefix, RouteTarget> routes;

  [[nodiscard]] RouteTarget lookup(const IpAddr& addr) const {
    RouteTarget best;
    int longest = -1;
    for (const auto& [p, target] : routes) {
      if (p.contains(addr) && p.length > longest) {
        longest = p.length;
        best = target;
      }
    }
    return best;
  }
};

/// Few bits vary, so that prefixes nest and addresses hit them.
IpAddr random_addr(std::mt19937& random) {
  const uint32_t bits = random();
  if (bits % 2 == 0) {
    const uint8_t four[4] = {10, static_cast<uint8_t>(bits >> 8 & 3),
                             static_cast<uint8_t>(bits >> 16 & 3),
                             static_cast<uint8_t>(bits >> 24)};
    return IpAddr::v4(four);
  }
  IpAddr addr = ip_of("2001:db8::");
  addr.bytes[7] = bits >> 8 & 3;
  addr.bytes[8] = bits >> 16 & 3;
  addr.bytes[15] = static_cast<uint8_t>(bits >> 24);
  return addr;
}

Prefix random_prefix(std::mt19937& random) {
  const IpAddr addr = random_addr(random);
  const unsigned shortest = addr.is_v4() ? 96 : 0;
  const auto length =
      static_cast<uint8_t>(random() % 2 == 0 ? 128 : shortest + random() % (129 - shortest));
  return {mask_to(addr, length), length};
}

class PrefixTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PrefixTest);
  CPPUNIT_TEST(empty_table_knows_nothing);
  CPPUNIT_TEST(longest_prefix_wins);
  CPPUNIT_TEST(every_length_works);
  CPPUNIT_TEST(families_stay_apart);
  CPPUNIT_TEST(replaces_and_removes);
  CPPUNIT_TEST(full_table_refuses_and_stays);
  CPPUNIT_TEST(holds_its_capacity_before_a_grace_period);
  CPPUNIT_TEST(bursts_of_every_size);
  CPPUNIT_TEST(agrees_with_a_model);
  CPPUNIT_TEST(readers_race_with_changes);
  CPPUNIT_TEST_SUITE_END();

  void empty_table_knows_nothing() {
    const PrefixTable table(10);
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.1")) == RouteTarget{});
    CPPUNIT_ASSERT(table.lookup(ip_of("::1")).kind() == RouteKind::kNone);
  }

  void longest_prefix_wins() {
    PrefixTable table(10);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    writer.set(prefix_of("0.0.0.0/0"), RouteTarget::make(RouteKind::kVia, 3));
    writer.set(prefix_of("10.0.0.0/8"), peer_target(1));
    writer.set(prefix_of("10.1.0.0/16"), peer_target(2));
    writer.set(prefix_of("10.1.1.1"), peer_target(0x0fffffff));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.1.1.1")) == peer_target(0x0fffffff));
    CPPUNIT_ASSERT_EQUAL(0x0fffffffu, table.lookup(ip_of("10.1.1.1")).id());
    CPPUNIT_ASSERT(table.lookup(ip_of("10.1.1.2")) == peer_target(2));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.2.1.1")) == peer_target(1));
    CPPUNIT_ASSERT(table.lookup(ip_of("11.1.1.1")).kind() == RouteKind::kVia);
    CPPUNIT_ASSERT(table.lookup(ip_of("::1")).kind() == RouteKind::kNone);
  }

  void every_length_works() {
    PrefixTable table(200);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    const IpAddr v4 = ip_of("170.85.170.85"), v6 = ip_of("aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555");
    for (const IpAddr& addr : {v4, v6}) {
      const unsigned shortest = addr.is_v4() ? 96 : 0;
      for (unsigned length = shortest; length <= 128; ++length) {  // the longest match moves down
        const auto l = static_cast<uint8_t>(length);
        CPPUNIT_ASSERT(writer.set({mask_to(addr, l), l}, peer_target(length)));
        CPPUNIT_ASSERT(table.lookup(addr) == peer_target(length));
      }
      for (unsigned length = 128; length > shortest; --length) {  // and up again
        const auto l = static_cast<uint8_t>(length);
        CPPUNIT_ASSERT(writer.remove({mask_to(addr, l), l}));
        CPPUNIT_ASSERT(table.lookup(addr) == peer_target(length - 1));
      }
    }
  }

  void families_stay_apart() {
    PrefixTable table(10);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    writer.set(prefix_of("::/0"), peer_target(6));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.1")) == RouteTarget{});
    CPPUNIT_ASSERT(table.lookup(ip_of("::1")) == peer_target(6));
    writer.remove(prefix_of("::/0"));
    writer.set(prefix_of("0.0.0.0/0"), peer_target(4));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.1")) == peer_target(4));
    CPPUNIT_ASSERT(table.lookup(ip_of("::1")) == RouteTarget{});
    CPPUNIT_ASSERT(table.lookup(ip_of("::")) == RouteTarget{});
  }

  void replaces_and_removes() {
    PrefixTable table(10);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    const Prefix p = prefix_of("10.0.0.0/24");
    CPPUNIT_ASSERT(!writer.get(p));
    CPPUNIT_ASSERT(!writer.remove(p));
    CPPUNIT_ASSERT(writer.set(p, peer_target(1)));
    CPPUNIT_ASSERT(writer.set(p, peer_target(2)));
    CPPUNIT_ASSERT_EQUAL(1u, writer.size());
    CPPUNIT_ASSERT(writer.get(p) == peer_target(2));
    CPPUNIT_ASSERT(!writer.get(prefix_of("10.0.0.0/25")));
    CPPUNIT_ASSERT(writer.remove(p));
    CPPUNIT_ASSERT(!writer.remove(p));
    CPPUNIT_ASSERT_EQUAL(0u, writer.size());
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.1")) == RouteTarget{});
  }

  void full_table_refuses_and_stays() {
    PrefixTable table(3);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    CPPUNIT_ASSERT_EQUAL(3u, writer.capacity());
    for (const char* text : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) {
      CPPUNIT_ASSERT(writer.set(prefix_of(text), peer_target(1)));
    }
    CPPUNIT_ASSERT(!writer.set(prefix_of("10.0.0.0/24"), peer_target(9)));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.4")) == RouteTarget{});
    CPPUNIT_ASSERT(writer.set(prefix_of("10.0.0.1"), peer_target(2)));  // replacing needs no room
    CPPUNIT_ASSERT(writer.remove(prefix_of("10.0.0.2")));
    CPPUNIT_ASSERT(writer.set(prefix_of("10.0.0.0/24"), peer_target(9)));
    CPPUNIT_ASSERT(table.lookup(ip_of("10.0.0.4")) == peer_target(9));
  }

  /// A reload may replace everything before any worker has passed a quiescent state.
  void holds_its_capacity_before_a_grace_period() {
    constexpr uint32_t kCapacity = 1000;
    PrefixTable table(kCapacity);
    Rcu rcu(1);
    rcu.online(0);
    PrefixWriter writer(table, rcu);
    const auto address = [](uint32_t i) {
      const uint32_t be = htonl(0x0a000000 + i);
      return Prefix{IpAddr::v4(&be), 128};
    };
    for (uint32_t i = 0; i < kCapacity; ++i) CPPUNIT_ASSERT(writer.set(address(i), peer_target(i)));
    for (uint32_t i = 0; i < kCapacity; ++i) CPPUNIT_ASSERT(writer.remove(address(i)));
    for (uint32_t i = 0; i < kCapacity; ++i) {
      CPPUNIT_ASSERT(writer.set(address(kCapacity + i), peer_target(i)));
    }
    for (uint32_t i = 0; i < kCapacity; ++i) {
      CPPUNIT_ASSERT(table.lookup(address(i).addr) == RouteTarget{});
      CPPUNIT_ASSERT(table.lookup(address(kCapacity + i).addr) == peer_target(i));
    }
  }

  void bursts_of_every_size() {
    PrefixTable table(1000);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    Model model;
    std::mt19937 random(4);
    for (uint32_t i = 0; i < 500; ++i) {
      const Prefix p = random_prefix(random);
      writer.set(p, peer_target(i));
      model.routes[p] = peer_target(i);
    }
    for (size_t size = 0; size <= kBurstSize; ++size) {
      std::vector<IpAddr> addrs(size);
      for (IpAddr& addr : addrs) addr = random_addr(random);
      std::vector<RouteTarget> out(size + 1, peer_target(12345));
      table.lookup_burst(addrs, out.data());
      for (size_t i = 0; i < size; ++i) CPPUNIT_ASSERT(model.lookup(addrs[i]) == out[i]);
      CPPUNIT_ASSERT(out[size] == peer_target(12345));  // nothing behind the end is written
    }
  }

  void agrees_with_a_model() {
    PrefixTable table(400);
    Rcu rcu(1);
    PrefixWriter writer(table, rcu);
    Model model;
    std::mt19937 random(5);
    for (uint32_t step = 0; step < 30000; ++step) {
      const Prefix p = random_prefix(random);
      if (random() % 2 == 0) {
        const bool room = model.routes.size() < writer.capacity() || model.routes.contains(p);
        const bool entered = writer.set(p, peer_target(step));
        CPPUNIT_ASSERT(entered || !room || rcu.pending() > 0);
        if (entered) model.routes[p] = peer_target(step);
      } else {
        CPPUNIT_ASSERT_EQUAL(model.routes.erase(p) == 1, writer.remove(p));
      }
      if (random() % 16 == 0) rcu.poll();
      CPPUNIT_ASSERT_EQUAL(model.routes.size(), size_t{writer.size()});
      if (step % 10 == 0) compare(table, model, random);
    }
  }

  static void compare(const PrefixTable& table, const Model& model, std::mt19937& random) {
    IpAddr addrs[16];
    for (IpAddr& addr : addrs) addr = random_addr(random);
    RouteTarget out[16];
    table.lookup_burst(addrs, out);
    for (size_t i = 0; i < 16; ++i) {
      CPPUNIT_ASSERT(model.lookup(addrs[i]) == out[i]);
      CPPUNIT_ASSERT(table.lookup(addrs[i]) == out[i]);
    }
  }

  /// Three kinds of prefixes: those that stay must always be found with their target; those whose
  /// target changes, with one of their own; those that come and go, with their own or the wider
  /// prefix's.
  void readers_race_with_changes() {
    constexpr unsigned kReaders = 2;
    constexpr uint32_t kEach = 30, kWide = 1000000;
    PrefixTable table(8 * kEach);
    Rcu rcu(kReaders);
    PrefixWriter writer(table, rcu);
    const auto address = [](uint32_t kind, uint32_t i) {
      const uint32_t be = htonl(kind << 24 | i);
      return IpAddr::v4(&be);
    };
    const auto host = [&](uint32_t kind, uint32_t i) { return Prefix{address(kind, i), 128}; };
    for (uint32_t i = 0; i < kEach; ++i) {
      writer.set(host(10, i), peer_target(i));
      writer.set(host(11, i), peer_target(i));
    }
    writer.set(prefix_of("12.0.0.0/8"), peer_target(kWide));

    std::atomic<uint64_t> wrong{0}, came{0};
    test::ReaderThreads readers(rcu, kReaders, [&](unsigned) {
      for (uint32_t i = 0; i < kEach; ++i) {
        const IpAddr addrs[] = {address(10, i), address(11, i), address(12, i)};
        RouteTarget out[3];
        table.lookup_burst(addrs, out);
        if (out[0] != peer_target(i)) ++wrong;
        if (out[1].kind() != RouteKind::kPeer || out[1].id() % kEach != i) ++wrong;
        if (out[2] == peer_target(i)) ++came;
        if (out[2] != peer_target(i) && out[2] != peer_target(kWide)) ++wrong;
        if (table.lookup(addrs[0]) != peer_target(i)) ++wrong;
      }
    });
    std::mt19937 random(7);
    for (uint32_t step = 0; step < 20000; ++step) {
      if (step % 64 == 0) readers.pace();
      if (random() % 4 == 0) rcu.poll();
      const uint32_t i = random() % kEach;
      if (!writer.remove(host(12, i))) writer.set(host(12, i), peer_target(i));
      writer.set(host(11, i), peer_target(random() % 100 * kEach + i));
      // Whole lengths that come and go.
      const auto length = static_cast<uint8_t>(105 + random() % 20);
      const Prefix nested{mask_to(address(13, i), length), length};
      if (!writer.remove(nested)) writer.set(nested, peer_target(kWide + 1));
    }
    readers.stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, wrong.load());
    CPPUNIT_ASSERT(came > 0);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PrefixTest);

}  // namespace

}  // namespace wirelay::dataplane
