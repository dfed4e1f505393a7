// Protects the registry's promises: a request applies wholly or not at all, and the observer hears
// exactly what changed, in order.
#include "ctrl/users/registry.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/registry_fixture.h"

namespace wirelay::ctrl {

class RegistryTest : public RegistryFixture {
  CPPUNIT_TEST_SUITE(RegistryTest);
  CPPUNIT_TEST(applies_and_tells_in_order);
  CPPUNIT_TEST(a_refused_request_changes_nothing);
  CPPUNIT_TEST(every_problem_is_named_with_its_path);
  CPPUNIT_TEST(names_are_checked);
  CPPUNIT_TEST(limits_and_sizes_hold);
  CPPUNIT_TEST(a_change_keeps_what_it_does_not_name);
  CPPUNIT_TEST(removing_a_user_removes_its_peers_first);
  CPPUNIT_TEST(pages_follow_names);
  CPPUNIT_TEST(agrees_with_a_slow_model_on_random_requests);
  CPPUNIT_TEST_SUITE_END();

 public:
  void applies_and_tells_in_order() {
    const SetUser faster =
        set_user("alice", [](UserChange& c) { c.set(UserField::kUpRate, 20'000'000); });
    apply({AddUser{user("alice")}, AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, faster,
           set_allowed("phone", {"10.0.0.2/32"}), RemovePeer{"phone"}});
    const std::vector<std::string> expected = {"user+ alice", "peer+ phone", "user~ alice",
                                               "peer~ phone", "peer- phone"};
    CPPUNIT_ASSERT(expected == observer_.heard);
    CPPUNIT_ASSERT_EQUAL(uint64_t{20'000'000},
                         registry_.user("alice")->limits().up.bits_per_second);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, registry_.user_count());
    CPPUNIT_ASSERT_EQUAL(size_t{0}, registry_.peer_count());
  }

  void a_refused_request_changes_nothing() {
    with_alice();
    const SetUser slower = set_user("alice", [](UserChange& c) {
      c.set(UserField::kUpRate, 1000);
      c.set(UserField::kEnabled, 0);
    });
    // Every kind of step, undone because the last one is wrong.
    assert_refused(
        {AddUser{user("bob")}, AddPeer{peer("tablet", "bob", 2, {"10.0.1.0/24", "fd00::/64"})},
         slower, set_allowed("phone", {"10.0.2.0/24"}),
         AddPeer{peer("laptop", "alice", 3, {"10.0.0.0/24"})}, RemovePeer{"phone"},
         RemoveUser{"bob"}, RemoveUser{"carol"}},
        "steps[7].name", "no user \"carol\"");
    // What was undone is whole: the address is still the phone's, the other addresses are free.
    assert_refused({AddPeer{peer("x", "alice", 9, {"10.0.0.0/24"})}}, "steps[0].allowed_ips[0]",
                   "is peer \"phone\"'s");
    apply({AddPeer{peer("x", "alice", 2, {"10.0.1.0/24", "10.0.2.0/24", "fd00::/64"})}});
  }

  void every_problem_is_named_with_its_path() {
    with_alice();
    const auto problems = refused({AddUser{user("alice")}, AddUser{user("b b")},
                                   AddPeer{peer("x", "b b", 5, {"10.1.0.0/24"})},
                                   AddPeer{peer("phone", "alice", 1, {"10.0.0.0/24"})}});
    std::string paths;
    for (const auto& problem : problems) paths += problem.path + ' ';
    // The peer of the refused user needs no complaint of its own.
    CPPUNIT_ASSERT_EQUAL(std::string("steps[0].name steps[1].name steps[3].name "
                                     "steps[3].public_key steps[3].allowed_ips[0] "),
                         paths);
  }

  void names_are_checked() {
    for (const std::string name : {"", "a b", "a/b", "a\"b", "\xc3\xa4", "a\n"}) {
      assert_refused({AddUser{user(name)}}, "steps[0].name", "is no name");
    }
    assert_refused({AddUser{user(std::string(65, 'a'))}}, "steps[0].name", "is no name");
    apply({AddUser{user(std::string(64, 'a'))}, AddUser{user("A.z_0-9@x+y")}});
  }

  void limits_and_sizes_hold() {
    UserSpec alice = user("alice");
    alice.values[UserField::kMaxPeers] = 2;
    apply({AddUser{alice}, AddUser{user("b")}, AddUser{user("c")}, AddUser{user("d")}});
    assert_refused({AddUser{user("e")}}, "steps[0]", "sized for 4 users");
    apply({AddPeer{peer("p1", "alice", 1, {})}, AddPeer{peer("p2", "alice", 2, {})}});
    assert_refused({AddPeer{peer("p3", "alice", 3, {})}}, "steps[0]", "max_peers 2");
    assert_refused({set_user("alice", [](UserChange& c) { c.set(UserField::kMaxPeers, 1); })},
                   "steps[0].max_peers", "has 2 peers");
    apply({set_user("alice", [](UserChange& c) { c.set(UserField::kMaxPeers, 0); })});
    for (uint32_t i = 3; i <= 6; ++i) {
      apply({AddPeer{peer("p" + std::to_string(i), "alice", i, {})}});
    }
    assert_refused({AddPeer{peer("p7", "b", 7, {})}}, "steps[0]", "sized for 6 peers");
    std::vector<std::string> many;
    for (int i = 0; i < 20; ++i) many.push_back("10.5.0." + std::to_string(i));
    apply({set_allowed("p1", many)});
    assert_refused({set_allowed("p2", {"10.6.0.1"})}, "steps[0].allowed_ips",
                   "sized for 20 prefixes");
    apply({set_allowed("p1", many)});  // as many as before: room enough
    apply({RemovePeer{"p1"}, set_allowed("p2", many)});
  }

  void a_change_keeps_what_it_does_not_name() {
    UserSpec alice = user("alice");
    alice.values[UserField::kUpRate] = 1'000'000;
    alice.values[UserField::kUpBurst] = 50'000;
    alice.values[UserField::kDownRate] = 2'000'000;
    alice.values[UserField::kDownPackets] = 400;
    PeerSpec phone = peer("phone", "alice", 1, {"10.0.0.1/32"});
    phone.preshared_key = crypto::Secret(test_key(7));
    phone.endpoint = dataplane::parse_endpoint("192.0.2.1:1000");
    phone.persistent_keepalive = 25;
    apply({AddUser{alice}, AddPeer{phone}});

    apply({set_user("alice", [](UserChange& c) { c.set(UserField::kDownPackets, 0); })});
    CPPUNIT_ASSERT(registry_.user("alice")->limits().up == alice.limits().up);
    CPPUNIT_ASSERT_EQUAL(uint64_t{2'000'000},
                         registry_.user("alice")->limits().down.bits_per_second);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, registry_.user("alice")->limits().down.packets_per_second);

    apply({set_allowed("phone", {"10.0.0.2/32"})});
    CPPUNIT_ASSERT(registry_.peer("phone")->preshared_key.has_value());
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, registry_.peer("phone")->persistent_keepalive);
    SetPeer clear;
    clear.change.name = "phone";
    clear.change.set<PeerField::kPresharedKey>(std::nullopt);
    clear.change.set<PeerField::kEndpoint>(std::nullopt);
    apply({clear});
    CPPUNIT_ASSERT(!registry_.peer("phone")->preshared_key.has_value());
    CPPUNIT_ASSERT(!registry_.peer("phone")->endpoint.has_value());
  }

  void removing_a_user_removes_its_peers_first() {
    with_alice();
    apply({AddPeer{peer("laptop", "alice", 2, {"10.0.1.0/24"})}});
    observer_.heard.clear();
    apply({RemoveUser{"alice"}});
    const std::vector<std::string> expected = {"peer- laptop", "peer- phone", "user- alice"};
    CPPUNIT_ASSERT(expected == observer_.heard);
    CPPUNIT_ASSERT(registry_.peers_of("alice").empty());
    apply({AddUser{user("bob")}, AddPeer{peer("tablet", "bob", 1, {"10.0.0.0/24"})}});
  }

  void pages_follow_names() {
    apply({AddUser{user("c")}, AddUser{user("a")}, AddUser{user("b")}});
    const auto page = registry_.users_after("a", 1);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, page.size());
    CPPUNIT_ASSERT_EQUAL(std::string("b"), page.front()->name);
    CPPUNIT_ASSERT_EQUAL(size_t{3}, registry_.users_after("", 10).size());
    CPPUNIT_ASSERT(registry_.users_after("c", 10).empty());
  }

  /// Few prefixes and names collide often; the model does what each step says and then compares
  /// each with each.
  void agrees_with_a_slow_model_on_random_requests() {
    std::mt19937 random(4711);
    Registry registry({1, 1000, 10'000});
    test::pass(registry, observer_, {{AddUser{user("u")}, ""}});
    Model model;
    int accepted = 0;
    for (uint32_t i = 0; i < 3000; ++i) {
      const std::vector<Wish> wishes = draw_wishes(random, model, i);
      Model wanted = model;
      const bool fits = come_true(wishes, wanted);
      std::vector<Step> steps;
      for (const Wish& wish : wishes) steps.push_back(wish.step());
      bool applied = true;
      try {
        test::pass(registry, observer_, steps);
      } catch (const Refused&) {
        applied = false;
      }
      CPPUNIT_ASSERT_EQUAL(fits, applied);
      if (applied) model = wanted;
      accepted += applied ? 1 : 0;
      CPPUNIT_ASSERT_EQUAL(model.size(), registry.peer_count());
      for (const auto& [name, prefixes] : model) {
        CPPUNIT_ASSERT(registry.peer(name)->allowed_ips == prefixes);
      }
    }
    CPPUNIT_ASSERT(accepted > 300 && accepted < 2900);
  }

 private:
  using Prefixes = std::vector<dataplane::Prefix>;
  using Model = std::map<std::string, Prefixes>;

  struct Wish {
    enum class Kind : uint8_t { kRemove, kAdd, kSet } kind;
    std::string name;
    Prefixes prefixes = {};
    bool move = false;
    uint32_t key = 0;

    [[nodiscard]] Step step() const {
      if (kind == Kind::kRemove) return {RemovePeer{name}, ""};
      if (kind == Kind::kAdd) {
        PeerSpec spec = peer(name, "u", key, {});
        spec.allowed_ips = prefixes;
        return {AddPeer{spec, move}, ""};
      }
      SetPeer set;
      set.change.name = name;
      set.change.set<PeerField::kAllowedIps>(prefixes);
      set.move = move;
      return {set, ""};
    }
  };

  static std::vector<Wish> draw_wishes(std::mt19937& random, const Model& model, uint32_t round) {
    const auto draw = [&] {
      const auto length = 29 + random() % 4;
      return prefix("10.0.0." + std::to_string(random() % 64) + '/' + std::to_string(length));
    };
    std::set<std::string> there;
    for (const auto& [name, prefixes] : model) there.insert(name);
    std::vector<Wish> wishes;
    const uint32_t count = 1 + random() % 4;
    for (uint32_t k = 0; k < count; ++k) {
      const std::string name = "p" + std::to_string(random() % 20);
      if (there.contains(name) && random() % 2 == 0) {
        wishes.push_back({Wish::Kind::kRemove, name});
        there.erase(name);
        continue;
      }
      const auto kind = there.insert(name).second ? Wish::Kind::kAdd : Wish::Kind::kSet;
      Prefixes prefixes = {draw(), draw()};
      // Often what another has, as in a swap.
      if (!model.empty() && random() % 2 == 0) {
        prefixes = std::next(model.begin(), static_cast<long>(random() % model.size()))->second;
      }
      wishes.push_back({kind, name, prefixes, k == 0 && random() % 2 == 0, 10 * round + k});
    }
    return wishes;
  }

  /// False when two would have the same, or one has it twice.
  static bool come_true(const std::vector<Wish>& wishes, Model& model) {
    for (size_t i = 0; i < wishes.size(); ++i) {
      const Wish& wish = wishes[i];
      const bool last = std::none_of(wishes.begin() + static_cast<long>(i) + 1, wishes.end(),
                                     [&](const Wish& later) { return later.name == wish.name; });
      if (wish.kind == Wish::Kind::kRemove) {
        model.erase(wish.name);
      } else if (!last) {
        model[wish.name];
      } else {
        for (auto& [name, theirs] : model) {
          if (!wish.move || name == wish.name) continue;
          std::erase_if(theirs,
                        [&](const auto& p) { return std::ranges::count(wish.prefixes, p); });
        }
        model[wish.name] = wish.prefixes;
      }
    }
    std::set<dataplane::Prefix> all;
    size_t count = 0;
    for (const auto& [name, prefixes] : model) {
      all.insert(prefixes.begin(), prefixes.end());
      count += prefixes.size();
    }
    return all.size() == count;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RegistryTest);

}  // namespace wirelay::ctrl
