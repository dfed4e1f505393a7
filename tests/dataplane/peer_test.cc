// Protects what workers read of a peer: paths and sources that are always those of one moment, and
// a number that nobody else gets while a worker may hold it.
#include "dataplane/tables/peer.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <set>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "dataplane/tables/peer_writer.h"
#include "dataplane/tables/prefix.h"
#include "tests/dataplane/named.h"
#include "tests/dataplane/reader_threads.h"

namespace wirelay::dataplane {

namespace {

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
  std::vector<Prefix> out;
  for (const char* text : texts) out.push_back(parse_prefix(text).value());
  return out;
}

RouteTarget target(uint32_t number) { return RouteTarget::make(RouteKind::kPeer, number); }

/// May this peer send from `addr`? As the source stage asks.
bool source_allowed(const Peer& peer, uint32_t number, const PrefixTable& table,
                    const IpAddr& addr) {
  const uint8_t check = peer.source_check.load(std::memory_order_acquire);
  if (addr.is_v4()) {
    if ((check & kSource4) != 0 && addr.v4_be() == peer.source4) return true;
  } else if ((check & kSource6) != 0 && addr == IpAddr::v6(peer.source6)) {
    return true;
  }
  return (check & kSourceTable) != 0 && table.lookup(addr) == target(number);
}

/// Everything that a peer needs around it.
struct Tables {
  explicit Tables(uint32_t peer_count = 8, uint32_t prefix_count = 64, unsigned workers = 1)
      : rcu(workers),
        peers(peer_count),
        prefixes(prefix_count),
        prefix_writer(prefixes, rcu),
        writer(peers, prefix_writer, rcu) {}
  Rcu rcu;
  PeerTable peers;
  PrefixTable prefixes;
  PrefixWriter prefix_writer;
  PeerWriter writer;

  bool allows(uint32_t number, const char* addr) {
    return source_allowed(peers[number], number, prefixes, ip_of(addr));
  }
  int check(uint32_t number) { return peers[number].source_check.load(); }
};

class PeerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeerTest);
  CPPUNIT_TEST(path_is_the_header_on_the_wire);
  CPPUNIT_TEST(path_remembers_its_ends);
  CPPUNIT_TEST(add_publishes_peer_and_prefixes);
  CPPUNIT_TEST(sources_are_checked_inline_where_they_fit);
  CPPUNIT_TEST(changed_sources_go_through_the_table_first);
  CPPUNIT_TEST(of_several_changes_the_last_one_holds);
  CPPUNIT_TEST(a_change_does_not_touch_who_comes_next);
  CPPUNIT_TEST(full_prefix_table_changes_nothing);
  CPPUNIT_TEST(full_peer_table_refuses);
  CPPUNIT_TEST(removed_peer_is_gone_at_once);
  CPPUNIT_TEST(prefix_of_another_stays);
  CPPUNIT_TEST(paths_wait_for_readers);
  CPPUNIT_TEST(path_comes_home);
  CPPUNIT_TEST(readers_race_with_changes);
  CPPUNIT_TEST_SUITE_END();

  void path_is_the_header_on_the_wire() {
    const PeerPath v4 =
        make_path({ip_of("192.0.2.1"), 51820}, {ip_of("198.51.100.2"), 4096}, 3, 7, 1500);
    const uint8_t expected4[] = {0x45, 0, 0,   0,  0,   0, 0,    0,    64,   17, 0, 0, 192, 0,
                                 2,    1, 198, 51, 100, 2, 0xca, 0x6c, 0x10, 0,  0, 0, 0,   0};
    CPPUNIT_ASSERT_EQUAL(sizeof expected4, size_t{v4.header_bytes});
    CPPUNIT_ASSERT(std::equal(std::begin(expected4), std::end(expected4), v4.header));
    CPPUNIT_ASSERT(!v4.v6 && v4.port == 3 && v4.adjacency == 7 && v4.mtu == 1500);

    const PeerPath v6 =
        make_path({ip_of("2001:db8::1"), 51820}, {ip_of("2001:db8::2"), 4096}, 0, 0, 1280);
    const uint8_t expected6[] = {0x60, 0,    0,    0,    0, 0, 17, 64,                          //
                                 0x20, 1,    0x0d, 0xb8, 0, 0, 0,  0,  0, 0, 0, 0, 0, 0, 0, 1,  //
                                 0x20, 1,    0x0d, 0xb8, 0, 0, 0,  0,  0, 0, 0, 0, 0, 0, 0, 2,  //
                                 0xca, 0x6c, 0x10, 0,    0, 0, 0,  0};
    CPPUNIT_ASSERT_EQUAL(sizeof expected6, size_t{v6.header_bytes});
    CPPUNIT_ASSERT(std::equal(std::begin(expected6), std::end(expected6), v6.header));
    CPPUNIT_ASSERT(v6.v6);
  }

  void path_remembers_its_ends() {
    for (const auto& [a, b] :
         {std::pair("192.0.2.1", "198.51.100.2"), {"2001:db8::1", "fe80::2"}}) {
      const Endpoint local{ip_of(a), 51820}, remote{ip_of(b), 65535};
      const PeerPath path = make_path(local, remote, 0, 0, 1500);
      CPPUNIT_ASSERT(path_local(path) == local);
      CPPUNIT_ASSERT(path_remote(path) == remote);
    }
  }

  void add_publishes_peer_and_prefixes() {
    Tables t;
    const uint32_t a = t.writer.add(5, prefixes({"10.0.0.1", "2001:db8::/64"})).value();
    const uint32_t b = t.writer.add(6, prefixes({"10.0.0.2"})).value();
    CPPUNIT_ASSERT(a != b);
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("10.0.0.1")) == target(a));
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("2001:db8::9")) == target(a));
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("10.0.0.2")) == target(b));
    CPPUNIT_ASSERT_EQUAL(5u, t.peers[a].user);
    CPPUNIT_ASSERT(t.peers[a].alive && t.peers[a].current == 0 && t.peers[a].path == nullptr);
    t.writer.set_current(a, 99);
    CPPUNIT_ASSERT_EQUAL(99u, t.peers[a].current.load());
  }

  void sources_are_checked_inline_where_they_fit() {
    Tables t;
    const uint32_t none = t.writer.add(1, {}).value();
    const uint32_t one = t.writer.add(1, prefixes({"10.0.1.0/24"})).value();
    const uint32_t both = t.writer.add(1, prefixes({"2001:db8:2::/48", "10.0.2.2"})).value();
    const uint32_t more =
        t.writer.add(1, prefixes({"10.0.3.3", "10.0.4.0/30", "::9", "::/0"})).value();
    CPPUNIT_ASSERT_EQUAL(0, t.check(none));
    // Within a wider prefix there may be another peer's.
    CPPUNIT_ASSERT_EQUAL(int{kSourceTable}, t.check(one));
    CPPUNIT_ASSERT_EQUAL(kSource4 | kSourceTable, t.check(both));
    CPPUNIT_ASSERT_EQUAL(kSource4 | kSource6 | kSourceTable, t.check(more));

    CPPUNIT_ASSERT(!t.allows(none, "10.0.1.1"));
    CPPUNIT_ASSERT(t.allows(one, "10.0.1.255") && !t.allows(one, "10.0.2.1"));
    CPPUNIT_ASSERT(!t.allows(one, "::1"));
    CPPUNIT_ASSERT(t.allows(both, "10.0.2.2") && !t.allows(both, "10.0.2.3"));
    CPPUNIT_ASSERT(t.allows(both, "2001:db8:2:ffff::1") && !t.allows(both, "2001:db8:3::1"));
    CPPUNIT_ASSERT(t.allows(more, "10.0.3.3") && t.allows(more, "10.0.4.3"));
    CPPUNIT_ASSERT(!t.allows(more, "10.0.4.4") && t.allows(more, "2001:db9::1"));
  }

  void changed_sources_go_through_the_table_first() {
    Tables t;
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1", "10.0.0.2"})).value();
    t.rcu.online(0);  // a worker that may have read the old bits
    CPPUNIT_ASSERT(t.writer.set_allowed(peer, prefixes({"10.0.0.2", "2001:db8::1"})));
    const auto right = [&] {
      return t.allows(peer, "10.0.0.2") && t.allows(peer, "2001:db8::1") &&
             !t.allows(peer, "10.0.0.1");
    };
    CPPUNIT_ASSERT_EQUAL(int{kSourceTable}, t.check(peer));
    CPPUNIT_ASSERT_EQUAL(ip_of("10.0.0.1").v4_be(), t.peers[peer].source4);  // left for the worker
    CPPUNIT_ASSERT(right());
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("10.0.0.1")) == RouteTarget{});
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(int{kSourceTable}, t.check(peer));
    t.rcu.quiescent(0);
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(kSource4 | kSource6, t.check(peer));
    CPPUNIT_ASSERT(right());
  }

  void of_several_changes_the_last_one_holds() {
    Tables t;
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1"})).value();
    t.rcu.online(0);
    t.writer.set_allowed(peer, prefixes({"10.0.0.2"}));
    t.rcu.quiescent(0);  // the first change could finish now
    t.writer.set_allowed(peer, prefixes({"10.0.0.3"}));
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(int{kSourceTable}, t.check(peer));
    CPPUNIT_ASSERT(t.allows(peer, "10.0.0.3") && !t.allows(peer, "10.0.0.2"));
    t.rcu.quiescent(0);
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(int{kSource4}, t.check(peer));
    CPPUNIT_ASSERT(t.allows(peer, "10.0.0.3") && !t.allows(peer, "10.0.0.2"));

    t.writer.set_allowed(peer, prefixes({"10.0.0.3"}));  // nothing differs: nothing to do
    CPPUNIT_ASSERT_EQUAL(int{kSource4}, t.check(peer));
    CPPUNIT_ASSERT_EQUAL(size_t{0}, t.rcu.pending());
  }

  void a_change_does_not_touch_who_comes_next() {
    Tables t(1);
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1"})).value();
    t.writer.set_allowed(peer, prefixes({"10.0.0.2"}));
    t.writer.remove(peer);
    CPPUNIT_ASSERT(!t.writer.add(2, {}));  // its number is not free yet
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(peer, t.writer.add(2, prefixes({"10.0.0.9"})).value());
    t.rcu.poll();
    CPPUNIT_ASSERT(t.allows(peer, "10.0.0.9") && !t.allows(peer, "10.0.0.2"));
  }

  void full_prefix_table_changes_nothing() {
    Tables t(4, 3);
    const RouteTarget gateway = RouteTarget::make(RouteKind::kVia, 1);
    const std::vector<Prefix> route = prefixes({"10.0.0.0/8"});
    t.prefix_writer.set(route[0], gateway);
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1"})).value();
    const auto unchanged = [&] {
      return t.prefixes.lookup(ip_of("10.0.0.1")) == target(peer) &&
             t.prefixes.lookup(ip_of("10.0.0.5")) == gateway && t.prefix_writer.size() == 2 &&
             t.check(peer) == kSource4;
    };
    CPPUNIT_ASSERT(!t.writer.add(2, prefixes({"10.0.0.0/8", "10.0.0.5", "10.0.0.6"})));
    CPPUNIT_ASSERT(unchanged());
    CPPUNIT_ASSERT(!t.writer.set_allowed(peer, prefixes({"10.0.0.5", "10.0.0.6"})));
    CPPUNIT_ASSERT(unchanged());
    t.rcu.poll();
    CPPUNIT_ASSERT(t.writer.add(2, prefixes({"10.0.0.5"})));  // no number and no room is lost
    CPPUNIT_ASSERT(t.writer.add(2, {}));
    CPPUNIT_ASSERT(t.writer.add(2, {}));
  }

  void full_peer_table_refuses() {
    Tables t(2);
    const uint32_t a = t.writer.add(1, {}).value();
    CPPUNIT_ASSERT(t.writer.add(1, {}));
    CPPUNIT_ASSERT(!t.writer.add(1, prefixes({"10.0.0.1"})));
    CPPUNIT_ASSERT_EQUAL(0u, t.prefix_writer.size());
    t.writer.remove(a);
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(a, t.writer.add(1, {}).value());
  }

  void removed_peer_is_gone_at_once() {
    Tables t;
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1", "::/0"})).value();
    const PeerPath path = make_path({ip_of("192.0.2.1"), 1}, {ip_of("192.0.2.2"), 2}, 0, 0, 1500);
    t.writer.set_path(peer, &path);
    t.writer.set_current(peer, 99);
    t.rcu.online(0);
    t.writer.remove(peer);
    CPPUNIT_ASSERT(!t.peers[peer].alive);
    CPPUNIT_ASSERT(t.peers[peer].path == nullptr && t.peers[peer].current == 0);
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("10.0.0.1")) == RouteTarget{});
    CPPUNIT_ASSERT_EQUAL(0u, t.prefix_writer.size());
    t.rcu.poll();
    CPPUNIT_ASSERT(t.writer.add(1, {}).value() != peer);
    t.rcu.quiescent(0);
    t.rcu.poll();
    CPPUNIT_ASSERT_EQUAL(peer, t.writer.add(1, {}).value());
  }

  void prefix_of_another_stays() {
    Tables t;
    const uint32_t a = t.writer.add(1, prefixes({"10.0.0.1"})).value();
    const uint32_t b = t.writer.add(1, prefixes({"10.0.0.1"})).value();  // taken over
    t.writer.remove(a);
    CPPUNIT_ASSERT(t.prefixes.lookup(ip_of("10.0.0.1")) == target(b));
  }

  void paths_wait_for_readers() {
    Tables t;
    const uint32_t peer = t.writer.add(1, {}).value();
    const auto path_to = [](uint16_t port) {
      return make_path({ip_of("192.0.2.1"), 1}, {ip_of("192.0.2.2"), port}, 0, 0, 1500);
    };
    PeerPath path = path_to(1000);
    t.writer.set_path(peer, &path);
    t.rcu.online(0);
    const PeerPath* held = t.peers[peer].path;
    for (uint16_t port = 1001; port < 1100; ++port) {
      path = path_to(port);
      t.writer.set_path(peer, &path);
      t.rcu.poll();
    }
    CPPUNIT_ASSERT_EQUAL(uint16_t{1000}, path_remote(*held).port);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1099}, path_remote(*t.peers[peer].path).port);
    t.rcu.quiescent(0);
    t.rcu.poll();

    std::set<const PeerPath*> places;  // with readers that pass on, memory is used again
    for (uint16_t port = 0; port < 1000; ++port) {
      path = path_to(port);
      t.writer.set_path(peer, &path);
      places.insert(t.peers[peer].path);
      t.rcu.quiescent(0);
      t.rcu.poll();
    }
    CPPUNIT_ASSERT(places.size() <= 3);
  }

  /// A path stands beside its peer, but for the grace period of the one before.
  void path_comes_home() {
    Tables t;
    const uint32_t peer = t.writer.add(1, {}).value();
    const auto set = [&](uint16_t port) {
      const PeerPath path =
          make_path({ip_of("192.0.2.1"), 1}, {ip_of("192.0.2.2"), port}, 0, 0, 1500);
      t.writer.set_path(peer, &path);
      return t.peers[peer].path.load();
    };
    const auto next_line = reinterpret_cast<uintptr_t>(&t.peers[peer]) + 64;
    const PeerPath* home = set(1000);
    CPPUNIT_ASSERT_EQUAL(next_line, reinterpret_cast<uintptr_t>(home));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("of one pair", uintptr_t{64}, next_line % 128);
    t.rcu.online(0);
    CPPUNIT_ASSERT(set(1001) != home);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1000}, path_remote(*home).port);
    t.rcu.quiescent(0);
    t.rcu.poll();
    CPPUNIT_ASSERT(t.peers[peer].path == home);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1001}, path_remote(*home).port);
    t.writer.set_path(peer, nullptr);
    t.rcu.quiescent(0);
    t.rcu.poll();
    CPPUNIT_ASSERT(t.peers[peer].path == nullptr);
  }

  void readers_race_with_changes() {
    constexpr unsigned kReaders = 2;
    Tables t(8, 64, kReaders);
    const uint32_t peer = t.writer.add(1, prefixes({"10.0.0.1", "2001:db8::/64"})).value();
    std::atomic<uint64_t> wrong{0}, inline_checks{0};
    const IpAddr always[] = {ip_of("10.0.0.1"), ip_of("2001:db8::1")};
    const IpAddr never[] = {ip_of("10.0.0.200"), ip_of("2001:db8:0:1::1")};
    test::ReaderThreads readers(t.rcu, kReaders, [&](unsigned) {
      const Peer& record = t.peers[peer];
      for (const IpAddr& a : always) wrong += !source_allowed(record, peer, t.prefixes, a);
      for (const IpAddr& a : never) wrong += source_allowed(record, peer, t.prefixes, a);
      inline_checks += (record.source_check & kSource4) != 0;
      const PeerPath* path = record.path.load(std::memory_order_acquire);
      if (path != nullptr) wrong += path_remote(*path).port != path->mtu;
    });
    std::mt19937 random(9);
    for (uint32_t step = 0; step < 20000; ++step) {
      if (step % 64 == 0) readers.pace();
      if (random() % 4 == 0) t.rcu.poll();
      // What stays comes first in the list or last, alone or with others, or in a wider prefix.
      std::vector<Prefix> wanted = prefixes({"10.0.0.1", "2001:db8::/64"});
      if (random() % 2 == 0) wanted.push_back(parse_prefix("10.0.0.0/30").value());
      if (random() % 2 == 0) wanted.push_back(parse_prefix("10.0.0.7").value());
      if (random() % 2 == 0) wanted.push_back(parse_prefix("2001:db8::/80").value());
      if (random() % 4 == 0) t.writer.set_allowed(peer, wanted);
      const auto port = static_cast<uint16_t>(step);
      const PeerPath path =
          make_path({ip_of("192.0.2.1"), 1}, {ip_of("192.0.2.2"), port}, 0, 0, port);
      t.writer.set_path(peer, random() % 8 == 0 ? nullptr : &path);
    }
    readers.stop();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, wrong.load());
    CPPUNIT_ASSERT(inline_checks > 0);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeerTest);

}  // namespace

}  // namespace wirelay::dataplane
