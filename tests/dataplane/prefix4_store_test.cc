// Protects the memory under the IPv4 prefixes: no two prefixes look alike, buckets that overflow
// lose none, and readers see every prefix that stays, whatever comes and goes around it.
#include "dataplane/tables/prefix4_store.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/rcu.h"
#include "tests/dataplane/named.h"
#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

Prefix host(uint32_t addr) {
  const uint32_t network_order = htonl(addr);
  return {IpAddr::v4(&network_order), 128};
}

/// Addresses whose host prefixes all hash to bucket 0.
std::vector<uint32_t> colliding(const Prefix4Store& store, size_t count) {
  std::vector<uint32_t> out;
  for (uint32_t addr = 1; out.size() < count; ++addr) {
    if (store.bucket(Prefix4Store::code(addr, 32)) == 0) out.push_back(addr);
  }
  return out;
}

RouteTarget lookup(const Prefix4Store& store, uint32_t addr) {
  RouteTarget target;
  store.lookup_burst({&addr, 1}, &target);
  return target;
}

}  // namespace

class Prefix4StoreTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Prefix4StoreTest);
  CPPUNIT_TEST(codes_tell_prefixes_apart);
  CPPUNIT_TEST(greatest_target_is_kept);
  CPPUNIT_TEST(colliding_prefixes_agree_with_a_model);
  CPPUNIT_TEST(no_room_changes_nothing);
  CPPUNIT_TEST(readers_race_with_chains);
  CPPUNIT_TEST_SUITE_END();

 public:
  void codes_tell_prefixes_apart() {
    std::set<uint64_t> codes;
    size_t prefixes = 0;
    for (unsigned length = 0; length <= 32; ++length) {
      const unsigned bits = std::min(length, 8u);  // all prefixes of the first eight bits
      for (uint32_t n = 0; n < 1u << bits; ++n, ++prefixes) {
        const uint32_t addr = bits == 0 ? 0 : n << (32 - bits);
        const uint64_t code = Prefix4Store::code(addr, length);
        codes.insert(code);
        CPPUNIT_ASSERT(code != 0 && code >> 33 == 0);
        const uint32_t behind = length == 32 ? 0 : ~uint32_t{0} >> length;
        CPPUNIT_ASSERT_EQUAL(code, Prefix4Store::code(addr | behind, length));
      }
    }
    CPPUNIT_ASSERT_EQUAL(prefixes, codes.size());
  }

  void greatest_target_is_kept() {
    Prefix4Store store(4);
    const RouteTarget target = RouteTarget::make(RouteKind::kLocal, UINT32_MAX);
    for (const char* text : {"255.255.255.255", "0.0.0.0", "0.0.0.0/0", "128.0.0.0/1"}) {
      CPPUNIT_ASSERT(store.set(*parse_prefix(text), target));
      CPPUNIT_ASSERT(store.get(*parse_prefix(text)) == target);
    }
    CPPUNIT_ASSERT(lookup(store, 0xffffffff) == target && lookup(store, 7) == target);
  }

  void colliding_prefixes_agree_with_a_model() {
    Prefix4Store store(100);
    const std::vector<uint32_t> addrs = colliding(store, 60);
    std::map<uint32_t, uint32_t> present;
    std::mt19937 random(6);
    for (uint32_t step = 0; step < 5000; ++step) {
      const uint32_t addr = addrs[random() % addrs.size()];
      if (random() % 100 < (step / 500 % 2 == 0 ? 80u : 20u)) {
        CPPUNIT_ASSERT(store.set(host(addr), peer_target(step)));
        present[addr] = step;
      } else {
        CPPUNIT_ASSERT_EQUAL(present.erase(addr) == 1, store.erase(host(addr)));
      }
      CPPUNIT_ASSERT_EQUAL(present.size(), size_t{store.size()});
      for (const uint32_t a : addrs) {
        const RouteTarget expected = present.contains(a) ? peer_target(present[a]) : RouteTarget{};
        CPPUNIT_ASSERT(store.get(host(a)) == expected);
        CPPUNIT_ASSERT(lookup(store, a) == expected);
      }
    }
  }

  void no_room_changes_nothing() {
    Prefix4Store store(1);  // and 66 further buckets
    const std::vector<uint32_t> addrs = colliding(store, 1000);
    size_t entered = 0;
    while (store.set(host(addrs[entered]), peer_target(7))) ++entered;
    CPPUNIT_ASSERT_EQUAL(entered, size_t{store.size()});
    CPPUNIT_ASSERT(store.get(host(addrs[entered])) == RouteTarget{});
    CPPUNIT_ASSERT(store.set(host(addrs[0]), peer_target(8)));  // replaces
    CPPUNIT_ASSERT(store.erase(host(addrs[1])));
    CPPUNIT_ASSERT(store.set(host(addrs[entered]), peer_target(9)));
    CPPUNIT_ASSERT(lookup(store, addrs[0]) == peer_target(8) &&
                   lookup(store, addrs[entered]) == peer_target(9));
  }

  void readers_race_with_chains() {
    constexpr unsigned kReaders = 2;
    constexpr size_t kStay = 15, kAll = 60;
    Prefix4Store store(2 * kAll);
    Rcu rcu(kReaders);
    const std::vector<uint32_t> addrs = colliding(store, kAll);
    for (size_t i = kAll; i-- > 0;)
      store.set(host(addrs[i]), peer_target(static_cast<uint32_t>(i)));
    std::atomic<uint64_t> wrong{0}, missing{0};
    test::ReaderThreads readers(rcu, kReaders, [&](unsigned) {
      RouteTarget found[kAll];
      store.lookup_burst(addrs, found);
      for (size_t i = 0; i < kAll; ++i) {
        const bool gone = found[i] == RouteTarget{};
        missing += gone;
        wrong += gone ? i < kStay : found[i] != peer_target(static_cast<uint32_t>(i));
      }
    });
    std::mt19937 random(8);
    for (uint32_t step = 0; step < 40000; ++step) {
      if (step % 64 == 0) readers.pace();
      const size_t i = kStay + random() % (kAll - kStay);
      if (random() % 100 < (step / 2000 % 2 == 0 ? 80u : 20u)) {
        store.set(host(addrs[i]), peer_target(static_cast<uint32_t>(i)));
      } else {
        store.erase(host(addrs[i]));
      }
    }
    readers.stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, wrong.load());
    CPPUNIT_ASSERT(missing > 0);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Prefix4StoreTest);

}  // namespace wirelay::dataplane
