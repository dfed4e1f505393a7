// Protects: that a peer without allowed IPs gets an address that nobody has and nobody may not
// have, the same again when it comes back within a day, and that a full pool refuses by name.
#include <ctime>
#include <random>
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/registry_fixture.h"

namespace wirelay::ctrl {

using namespace test;

class AddressPoolTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AddressPoolTest);
  CPPUNIT_TEST(gives_one_of_each_family_in_turn);
  CPPUNIT_TEST(never_gives_what_is_reserved_or_in_use);
  CPPUNIT_TEST(none_is_none_and_a_file_says_what_it_means);
  CPPUNIT_TEST(a_full_pool_refuses_by_name);
  CPPUNIT_TEST(many_of_one_request_get_different_ones);
  CPPUNIT_TEST(what_a_request_names_is_left_to_it);
  CPPUNIT_TEST(the_same_comes_back_within_a_day);
  CPPUNIT_TEST(what_others_had_is_given_last);
  CPPUNIT_TEST(memory_of_those_gone_has_a_bound);
  CPPUNIT_TEST(networks_of_peers_are_theirs);
  CPPUNIT_TEST(a_failed_request_gives_nothing);
  CPPUNIT_TEST(agrees_with_a_slow_model);
  CPPUNIT_TEST(large_pools_are_cut);
  CPPUNIT_TEST_SUITE_END();

  static RegistryLimits limits(const std::vector<PoolConfig>& pools) {
    RegistryLimits all{4, 50'000, 100'000, {prefix("10.77.0.1/32"), prefix("198.51.100.0/24")}};
    all.routed = {prefix("10.77.0.8/30"), prefix("0.0.0.0/0")};
    all.pools = pools;
    return all;
  }

  static AddPeer picking(const std::string& name, uint32_t key) {
    AddPeer add{peer(name, "u", key, {})};
    add.pick = true;
    return add;
  }

  void add(Registry& registry, const std::vector<Change>& changes) {
    std::vector<Step> steps;
    for (const Change& change : changes) steps.push_back({change, "at"});
    test::pass(registry, observer_, std::move(steps));
  }

  static std::string of(const Registry& registry, const std::string& name) {
    std::string text;
    for (const auto& allowed : registry.peer(name)->allowed_ips) {
      text += (text.empty() ? "" : " ") + to_string(allowed);
    }
    return text;
  }

  RecordingObserver observer_;

 public:
  void gives_one_of_each_family_in_turn() {
    Registry registry(limits({{prefix("10.77.0.0/16")}, {prefix("fd77::/64")}}));
    add(registry, {AddUser{user("u")}, picking("a", 1), picking("b", 2)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.77.0.2/32 fd77::1/128"), of(registry, "a"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.77.0.3/32 fd77::2/128"), of(registry, "b"));
    const auto use = registry.address_book().use();
    CPPUNIT_ASSERT_EQUAL(2u, use[0].used);
    CPPUNIT_ASSERT_EQUAL(65536u - 3 - 4, use[0].size);  // both ends, the relay's, a route's
  }

  void never_gives_what_is_reserved_or_in_use() {
    Registry registry(limits({{prefix("10.77.0.0/28"), {*dataplane::parse_ip("10.77.0.5")}}}));
    add(registry, {AddUser{user("u")}, AddPeer{peer("x", "u", 1, {"10.77.0.3/32"})}});
    std::set<std::string> given;
    for (uint32_t i = 0; i < 7; ++i) {
      add(registry, {picking("p" + std::to_string(i), 10 + i)});
      given.insert(of(registry, "p" + std::to_string(i)));
    }
    const std::set<std::string> expected = {"10.77.0.2/32", "10.77.0.4/32",  "10.77.0.6/32",
                                            "10.77.0.7/32", "10.77.0.12/32", "10.77.0.13/32",
                                            "10.77.0.14/32"};
    CPPUNIT_ASSERT(expected == given);
  }

  void none_is_none_and_a_file_says_what_it_means() {
    Registry registry(limits({{prefix("10.77.0.0/16")}}));
    add(registry, {AddUser{user("u")}, AddPeer{peer("none", "u", 1, {})}});
    CPPUNIT_ASSERT_EQUAL(std::string(), of(registry, "none"));
    const std::vector<Step> of_file = {{picking("f", 2), "peers[0]"}};
    CPPUNIT_ASSERT_THROW(test::pass(registry, observer_, of_file, Origin::kFile), Refused);
    Registry without(limits({}));
    add(without, {AddUser{user("u")}});
    try {
      add(without, {picking("a", 1)});
      CPPUNIT_FAIL("was not refused");
    } catch (const Refused& refused) {
      CPPUNIT_ASSERT_EQUAL(std::string("at.allowed_ips"), refused.problems.front().path);
      CPPUNIT_ASSERT(refused.problems.front().message.starts_with("missing, expected"));
    }
  }

  void a_full_pool_refuses_by_name() {
    Registry registry(limits({{prefix("10.78.0.0/30")}, {prefix("fd77::/64")}}));
    add(registry, {AddUser{user("u")}, picking("a", 1), picking("b", 2)});
    try {
      add(registry, {picking("c", 3)});
      CPPUNIT_FAIL("was not refused");
    } catch (const Refused& refused) {
      CPPUNIT_ASSERT(refused.problems.front().message.ends_with("10.78.0.0/30"));
    }
    add(registry, {RemovePeer{"a"}});
    add(registry, {picking("c", 3)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.1/32 fd77::3/128"), of(registry, "c"));
  }

  void many_of_one_request_get_different_ones() {
    Registry registry(limits({{prefix("10.77.0.0/16")}}));
    std::vector<Change> changes = {AddUser{user("u")}};
    for (uint32_t i = 0; i < 20'000; ++i)
      changes.emplace_back(picking("p" + std::to_string(i), i + 1));
    add(registry, changes);  // two of one address would be refused
    CPPUNIT_ASSERT_EQUAL(size_t{20'000}, registry.peer_count());
  }

  void what_a_request_names_is_left_to_it() {
    Registry registry(limits({{prefix("10.78.0.0/16")}}));
    add(registry, {AddUser{user("u")}, picking("a", 1),
                   AddPeer{peer("b", "u", 2, {"10.78.0.1/32"})}, picking("c", 3)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.2/32"), of(registry, "a"));
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.1/32"), of(registry, "b"));
    CPPUNIT_ASSERT(of(registry, "c") != of(registry, "a"));
  }

  void the_same_comes_back_within_a_day() {
    Registry registry(limits({{prefix("10.77.0.0/16")}, {prefix("fd77::/64")}}));
    add(registry, {AddUser{user("u")}, picking("a", 1), picking("b", 2)});
    const std::string had = of(registry, "a");
    add(registry, {RemovePeer{"a"}});
    add(registry, {picking("c", 3)});
    CPPUNIT_ASSERT(of(registry, "c") != had);
    add(registry, {picking("another-name", 1)});
    CPPUNIT_ASSERT_EQUAL(had, of(registry, "another-name"));

    // After a restart, and after a day.
    add(registry, {RemovePeer{"another-name"}});
    auto released = registry.address_book().released();
    Registry next(limits({{prefix("10.77.0.0/16")}, {prefix("fd77::/64")}}));
    next.restore_released(released);
    add(next, {AddUser{user("u")}, picking("x", 9), picking("a", 1)});
    CPPUNIT_ASSERT_EQUAL(had, of(next, "a"));
    for (auto& one : released) one.unix_seconds -= AddressBook::kSecondsKept;
    Registry late(limits({{prefix("10.77.0.0/16")}, {prefix("fd77::/64")}}));
    late.restore_released(released);
    CPPUNIT_ASSERT(late.address_book().released().empty());
    add(late, {AddUser{user("u")}, picking("x", 9), picking("a", 1)});
    CPPUNIT_ASSERT(of(late, "a") != had);
  }

  void what_others_had_is_given_last() {
    Registry registry(limits({{prefix("10.78.0.0/29")}}));  // six addresses
    add(registry, {AddUser{user("u")}, picking("a", 1), picking("b", 2)});
    add(registry, {RemovePeer{"a"}});
    for (uint32_t i = 3; i <= 6; ++i) add(registry, {picking("p" + std::to_string(i), i)});
    add(registry, {picking("last", 7)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.1/32"), of(registry, "last"));
  }

  void memory_of_those_gone_has_a_bound() {
    Registry registry(limits({{prefix("10.77.0.0/16")}}));
    constexpr uint32_t kPeers = AddressBook::kMostReleased + 500;
    std::vector<Change> come = {AddUser{user("u")}}, go;
    for (uint32_t i = 0; i < kPeers; ++i) {
      come.emplace_back(picking("p" + std::to_string(i), i + 1));
      go.emplace_back(RemovePeer{"p" + std::to_string(i)});
    }
    add(registry, come);
    add(registry, go);
    CPPUNIT_ASSERT_EQUAL(AddressBook::kMostReleased, registry.address_book().released().size());
    CPPUNIT_ASSERT(!registry.address_book().recall(test_key(1), true));
    CPPUNIT_ASSERT(registry.address_book().recall(test_key(kPeers), true));
    CPPUNIT_ASSERT_EQUAL(0u, registry.address_book().use()[0].used);
  }

  void networks_of_peers_are_theirs() {
    Registry registry(limits({{prefix("10.78.0.0/24")}}));
    add(registry,
        {AddUser{user("u")}, AddPeer{peer("site", "u", 1, {"10.78.0.0/25", "10.78.0.0/28"})},
         AddPeer{peer("all", "u", 2, {"10.0.0.0/8"})}, picking("a", 3)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.128/32"), of(registry, "a"));
    add(registry, {set_allowed("site", {"10.78.0.0/28"}), RemovePeer{"a"}});
    add(registry, {AddPeer{peer("end", "u", 4, {"10.78.0.254/32"})}, picking("b", 5)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.16/32"), of(registry, "b"));
  }

  void a_failed_request_gives_nothing() {
    Registry registry(limits({{prefix("10.78.0.0/24")}}));
    add(registry, {AddUser{user("u")}});
    CPPUNIT_ASSERT_THROW(add(registry, {picking("a", 1), picking("a", 2)}), Refused);
    CPPUNIT_ASSERT_EQUAL(0u, registry.address_book().use()[0].used);
    add(registry, {picking("a", 1)});
    CPPUNIT_ASSERT_EQUAL(std::string("10.78.0.1/32"), of(registry, "a"));
  }

  void agrees_with_a_slow_model() {
    constexpr unsigned kSeed = 77;
    std::mt19937 random(kSeed);
    AddressPool pool(prefix("10.78.0.0/25"));
    std::set<uint32_t> taken;
    const auto host = [](uint32_t n) { return prefix("10.78.0." + std::to_string(n) + "/32"); };
    for (int i = 0; i < 20'000; ++i) {
      const uint32_t n = 1 + random() % 126;
      const unsigned what = random() % 4;
      if (what == 0) {
        pool.take(host(n));
        taken.insert(n);
      } else if (what == 1) {
        pool.give_back(host(n));
        taken.erase(n);
      } else if (what == 2) {
        random() % 2 == 0 ? pool.hold(host(n).addr) : pool.let_go(host(n).addr);
      } else if (const auto next = pool.next()) {
        CPPUNIT_ASSERT(pool.is_free(*next));
        const uint32_t got = next->bytes[15];
        CPPUNIT_ASSERT(got >= 1 && got <= 126 && taken.insert(got).second);
        pool.take({*next, 128});
      } else {
        CPPUNIT_ASSERT_EQUAL(size_t{126}, taken.size());
        for (uint32_t k = 1; k <= 100; ++k) pool.give_back(host(k));
        std::erase_if(taken, [](uint32_t k) { return k <= 100; });
      }
      CPPUNIT_ASSERT_EQUAL(taken.size(), size_t{pool.used()});
    }
  }

  void large_pools_are_cut() {
    AddressPool v6(prefix("fd77::/48")), v4(prefix("10.0.0.0/8"));
    CPPUNIT_ASSERT_EQUAL(AddressPool::kMost - 1, v6.size());
    CPPUNIT_ASSERT_EQUAL(AddressPool::kMost - 2, v4.size());
    CPPUNIT_ASSERT(!v6.is_free(*dataplane::parse_ip("fd77:0:0:1::1")));
    v6.take(prefix("fd77:0:0:1::1/128"));
    CPPUNIT_ASSERT_EQUAL(0u, v6.used());
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::1"), to_string(*v6.next()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AddressPoolTest);

}  // namespace wirelay::ctrl
