// Protects the memory under the IPv6 prefixes: buckets that overflow chain and unchain without
// losing a prefix, and nothing is used again while a reader may still look at it.
#include "dataplane/tables/prefix6_store.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <map>
#include <random>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/dataplane/named.h"
#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

/// Host prefixes that all hash to one bucket; with `same_tag` they share their tag too.
std::vector<Prefix> colliding(const Prefix6Store& store, size_t count, bool same_tag,
                              uint32_t bucket = 0) {
  std::vector<Prefix> out;
  uint8_t tag = 0;
  for (uint32_t i = 0; out.size() < count; ++i) {
    const uint32_t words[] = {0x20, 0, 0, i};
    const Prefix p{IpAddr::v6(words), 128};
    const Prefix6Store::Hash hash = store.hash(PrefixKey::of(p.addr), 128);
    if (hash.bucket != bucket || (same_tag && tag != 0 && hash.tag != tag)) continue;
    tag = hash.tag;
    out.push_back(p);
  }
  return out;
}

}  // namespace

class Prefix6StoreTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Prefix6StoreTest);
  CPPUNIT_TEST(candidates_are_the_places_with_the_tag);
  CPPUNIT_TEST(colliding_prefixes_chain_and_unchain);
  CPPUNIT_TEST(memory_waits_for_readers);
  CPPUNIT_TEST(further_buckets_wait_for_readers);
  CPPUNIT_TEST(readers_race_with_chains);
  CPPUNIT_TEST_SUITE_END();

 public:
  void candidates_are_the_places_with_the_tag() {
    std::mt19937_64 random(11);
    const uint8_t likely[] = {0, 1, 2, 3, 0x7f, 0x80, 0x81, 0xff};
    for (int round = 0; round < 100000; ++round) {
      uint8_t bytes[16];  // neighbours that differ by one, zeroes beside ones
      for (uint8_t& byte : bytes) byte = likely[random() % 8];
      const uint8_t tag = likely[1 + random() % 7];
      uint64_t tags[2];
      std::memcpy(tags, bytes, sizeof tags);
      unsigned places = 0;
      for (uint64_t c = PrefixBucket::candidates(tags[0], tags[1], tag); c != 0; c &= c - 1) {
        places |= 1u << PrefixBucket::place(c);
      }
      unsigned expected = 0;
      for (unsigned i = 0; i < PrefixBucket::kEntries; ++i) expected |= (bytes[i] == tag) << i;
      CPPUNIT_ASSERT_EQUAL(expected, places);
    }
  }

  void colliding_prefixes_chain_and_unchain() {
    for (const bool same_tag : {false, true}) {
      Prefix6Store store(100);
      Rcu rcu(1);
      std::vector<Prefix> prefixes = colliding(store, 60, same_tag);
      std::map<Prefix, uint32_t> present;
      std::mt19937 random(6);
      for (uint32_t step = 0; step < 5000; ++step) {
        const Prefix& p = prefixes[random() % prefixes.size()];
        const bool grow = random() % 100 < (step / 500 % 2 == 0 ? 80u : 20u);
        if (grow && !present.contains(p)) {
          CPPUNIT_ASSERT(store.insert(p, peer_target(step)));
          present[p] = step;
        } else if (!grow) {
          CPPUNIT_ASSERT_EQUAL(present.erase(p) == 1, store.erase(p, rcu));
        }
        if (step % 7 == 0) rcu.poll();
        for (const Prefix& q : prefixes) {
          const PrefixKey key = PrefixKey::of(q.addr);
          const uint32_t number = store.find(key, 128, store.hash(key, 128));
          CPPUNIT_ASSERT_EQUAL(present.contains(q), number != Prefix6Store::kNoEntry);
          if (present.contains(q)) CPPUNIT_ASSERT(store.target(number) == peer_target(present[q]));
        }
      }
      for (const auto& [p, unused] : present) CPPUNIT_ASSERT(store.erase(p, rcu));
      const PrefixBucket& first = store.bucket(0);
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, first.tags[0].load());
      CPPUNIT_ASSERT_EQUAL(uint64_t{0}, first.tags[1].load());  // and no further bucket
    }
  }

  void memory_waits_for_readers() {
    Prefix6Store store(10);
    Rcu rcu(1);
    rcu.online(0);
    const Prefix p = *parse_prefix("fd00::1"), q = *parse_prefix("fd00::2");
    store.insert(p, peer_target(1));
    const PrefixKey key = PrefixKey::of(p.addr);
    const uint32_t number = store.find(key, 128, store.hash(key, 128));  // a reader holds it
    store.erase(p, rcu);
    store.insert(q, peer_target(2));
    rcu.poll();
    CPPUNIT_ASSERT(store.matches(number, key, 128));
    CPPUNIT_ASSERT(store.target(number) == peer_target(1));
    rcu.quiescent(0);
    rcu.poll();
    store.insert(p, peer_target(3));
    CPPUNIT_ASSERT_EQUAL(number, store.find(key, 128, store.hash(key, 128)));  // used again
  }

  void further_buckets_wait_for_readers() {
    Prefix6Store store(100);
    Rcu rcu(1);
    rcu.online(0);
    const auto fill = [&](uint32_t bucket) {  // one more than it holds
      const auto prefixes = colliding(store, PrefixBucket::kEntries + 1, false, bucket);
      for (const Prefix& p : prefixes) CPPUNIT_ASSERT(store.insert(p, peer_target(1)));
      return prefixes;
    };
    const auto next = [&](uint32_t bucket) {
      return PrefixBucket::next(store.bucket(bucket).tags[1]);
    };
    const auto first = fill(0);
    const uint32_t held = next(0);  // a reader is there
    CPPUNIT_ASSERT(held != 0);
    store.erase(first.back(), rcu);
    CPPUNIT_ASSERT_EQUAL(0u, next(0));
    fill(1);
    rcu.poll();
    fill(2);
    CPPUNIT_ASSERT(next(1) != held && next(2) != held);
    rcu.quiescent(0);
    rcu.poll();
    fill(3);
    CPPUNIT_ASSERT_EQUAL(held, next(3));
  }

  /// All prefixes in one chain of buckets, whose middle and end come and go around some that stay.
  void readers_race_with_chains() {
    constexpr unsigned kReaders = 2;
    constexpr size_t kStay = 15, kAll = 60;
    Prefix6Store store(2 * kAll);
    Rcu rcu(kReaders);
    const std::vector<Prefix> prefixes = colliding(store, kAll, false);
    std::mt19937 random(8);
    std::vector<bool> present(kAll, true);
    std::vector<size_t> order(kAll);
    for (size_t i = 0; i < kAll; ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) store.insert(prefixes[i], peer_target(static_cast<uint32_t>(i)));

    std::atomic<uint64_t> wrong{0}, missing{0};
    test::ReaderThreads readers(rcu, kReaders, [&](unsigned) {
      for (size_t i = 0; i < kAll; ++i) {
        const PrefixKey key = PrefixKey::of(prefixes[i].addr);
        const uint32_t number = store.find(key, 128, store.hash(key, 128));
        if (number == Prefix6Store::kNoEntry) {
          if (i < kStay) ++wrong;
          ++missing;
        } else if (store.target(number) != peer_target(static_cast<uint32_t>(i))) {
          ++wrong;
        }
      }
    });
    for (uint32_t step = 0; step < 40000; ++step) {
      if (step % 64 == 0) readers.pace();
      if (random() % 4 == 0) rcu.poll();
      const size_t i = kStay + random() % (kAll - kStay);
      const bool grow = random() % 100 < (step / 2000 % 2 == 0 ? 80u : 20u);
      if (grow == present[i]) continue;
      present[i] = grow ? store.insert(prefixes[i], peer_target(static_cast<uint32_t>(i)))
                        : !store.erase(prefixes[i], rcu);
    }
    readers.stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, wrong.load());
    CPPUNIT_ASSERT(missing > 0);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Prefix6StoreTest);

}  // namespace wirelay::dataplane
