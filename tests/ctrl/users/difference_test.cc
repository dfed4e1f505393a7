// Protects reloads: the difference leads from any state to the wanted one in one request, whatever
// has to make room for what; it touches nothing that others made, and does not remove many by a
// slip.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/users/registry.h"
#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

class RegistryDifferenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RegistryDifferenceTest);
  CPPUNIT_TEST(leads_to_the_wanted_state);
  CPPUNIT_TEST(moves_addresses_between_peers);
  CPPUNIT_TEST(other_names_are_only_names);
  CPPUNIT_TEST(a_user_is_who_has_its_peers);
  CPPUNIT_TEST(refuses_doubles);
  CPPUNIT_TEST(touches_what_the_file_owns_only);
  CPPUNIT_TEST(others_peers_keep_a_user);
  CPPUNIT_TEST(a_tenth_of_the_users_may_go);
  CPPUNIT_TEST(one_user_may_always_go);
  CPPUNIT_TEST_SUITE_END();

  RecordingObserver observer_;
  Registry registry_{{4, 6, 20}};

  static void become(Registry& registry, ChangeObserver& observer,
                     const std::vector<UserSpec>& users, const std::vector<PeerSpec>& peers,
                     bool force = true) {
    test::pass(registry, observer, registry.difference(users, peers, force), Origin::kFile);
  }

  void assert_becomes(const std::vector<UserSpec>& users, const std::vector<PeerSpec>& peers) {
    become(registry_, observer_, users, peers);
    RecordingObserver other;
    Registry fresh({4, 6, 20});
    become(fresh, other, users, peers);
    CPPUNIT_ASSERT_EQUAL(contents(fresh), contents(registry_));
    CPPUNIT_ASSERT(registry_.difference(users, peers, false).empty());
  }

 public:
  void leads_to_the_wanted_state() {
    UserSpec alice = user("alice"), bob = user("bob"), carol = user("carol");
    alice.values[UserField::kMaxPeers] = 2;
    assert_becomes({alice, bob}, {peer("a1", "alice", 1, {"10.0.0.1/32"}),
                                  peer("a2", "alice", 2, {"10.0.0.2/32"}),
                                  peer("b1", "bob", 3, {"10.0.0.3/32"})});
    observer_.heard.clear();
    alice.values[UserField::kMaxPeers] = 1;  // fits only once a peer is gone
    bob.values[UserField::kEnabled] = 0;
    assert_becomes({alice, bob, carol}, {peer("a2", "alice", 2, {"10.0.0.2/32"}),
                                         peer("b1", "carol", 3, {"10.0.0.1/32"})});
    const std::vector<std::string> expected = {"peer- a1",  "peer- b1",    "user~ alice",
                                               "user~ bob", "user+ carol", "peer+ b1"};
    CPPUNIT_ASSERT(expected == observer_.heard);
    assert_becomes({carol}, {peer("b1", "carol", 2, {"10.0.0.2/32"})});  // another peer's old key
    assert_becomes({}, {});
  }

  void moves_addresses_between_peers() {
    const std::vector<UserSpec> users = {user("alice")};
    assert_becomes(users, {peer("x", "alice", 1, {"10.0.1.0/24", "10.9.0.0/24"}),
                           peer("y", "alice", 2, {"10.0.2.0/24"})});
    assert_becomes(users, {peer("x", "alice", 1, {"10.0.2.0/24", "10.9.0.0/24"}),
                           peer("y", "alice", 2, {"10.0.1.0/24"})});
    assert_becomes(users,
                   {peer("x", "alice", 1, {"10.0.2.0/24"}), peer("y", "alice", 2, {"10.0.1.0/24"}),
                    peer("z", "alice", 3, {"10.9.0.0/24"})});
  }

  void other_names_are_only_names() {
    const std::vector<UserSpec> users = {user("alice")};
    assert_becomes(users, {peer("x", "alice", 1, {"10.0.1.0/24"}), peer("y", "alice", 2, {})});
    observer_.heard.clear();
    assert_becomes(users, {peer("z", "alice", 1, {"10.0.1.0/24"}), peer("y", "alice", 2, {})});
    CPPUNIT_ASSERT(observer_.heard == std::vector<std::string>{"peer~ z"});
    // Swapped, and one of them has another address as well.
    assert_becomes(
        users, {peer("y", "alice", 1, {"10.0.2.0/24"}), peer("z", "alice", 2, {"10.0.1.0/24"})});
    for (const std::string& line : observer_.heard) CPPUNIT_ASSERT(line.starts_with("peer~"));
  }

  void a_user_is_who_has_its_peers() {
    assert_becomes({user("alice"), user("bob")},
                   {peer("x", "alice", 1, {}), peer("y", "bob", 2, {})});
    const uint64_t id = registry_.user("alice")->id;
    test::pass(registry_, observer_, {{AddPeer{peer("api", "alice", 3, {})}, ""}});
    observer_.heard.clear();
    UserSpec carol = user("carol");
    carol.values[UserField::kMaxPeers] = 5;
    become(registry_, observer_, {carol, user("bob")},
           {peer("x2", "carol", 1, {}), peer("y", "bob", 2, {})}, false);
    CPPUNIT_ASSERT_EQUAL(id, registry_.user("carol")->id);
    CPPUNIT_ASSERT_EQUAL(std::string("carol"), registry_.peer("api")->user);
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, registry_.user("carol")->max_peers());
    for (const std::string& line : observer_.heard) CPPUNIT_ASSERT(line.find('~') == 4);
    // A peer that another user has is a new one there: it is accounted for there.
    become(registry_, observer_, {carol, user("bob")}, {peer("x2", "bob", 1, {})});
    CPPUNIT_ASSERT_EQUAL(id, registry_.user("carol")->id);
    CPPUNIT_ASSERT_EQUAL(std::string("bob"), registry_.peer("x2")->user);
  }

  void refuses_doubles() {
    become(registry_, observer_, {user("alice")}, {peer("phone", "alice", 1, {"10.0.0.0/24"})});
    const std::vector<UserSpec> twice = {user("alice"), user("alice")};
    CPPUNIT_ASSERT_THROW(become(registry_, observer_, twice, {}), Refused);
    const std::vector<PeerSpec> peers(2, peer("phone", "alice", 1, {"10.0.0.0/24"}));
    CPPUNIT_ASSERT_THROW(become(registry_, observer_, {user("alice")}, peers), Refused);
  }

  void touches_what_the_file_owns_only() {
    become(registry_, observer_, {user("alice")}, {peer("phone", "alice", 1, {"10.0.0.1/32"})});
    test::pass(registry_, observer_,
               {{AddUser{user("bob")}, ""},
                {AddPeer{peer("pad", "bob", 2, {"10.0.0.2/32"})}, ""},
                {AddPeer{peer("laptop", "alice", 3, {"10.0.0.3/32"})}, ""}});
    observer_.heard.clear();
    become(registry_, observer_, {user("alice")}, {});
    CPPUNIT_ASSERT(observer_.heard == std::vector<std::string>{"peer- phone"});
    // A name in both is refused, and says whose it is.
    try {
      become(registry_, observer_, {user("alice"), user("bob")}, {});
      CPPUNIT_FAIL("was not refused");
    } catch (const Refused& refused) {
      CPPUNIT_ASSERT_EQUAL(std::string("there is a user \"bob\" already, made through the API"),
                           refused.problems.front().message);
    }
    CPPUNIT_ASSERT_THROW(become(registry_, observer_, {user("alice")},
                                {peer("laptop", "alice", 3, {"10.0.0.3/32"})}),
                         Refused);
  }

  void others_peers_keep_a_user() {
    become(registry_, observer_, {user("alice"), user("carol")}, {});
    test::pass(registry_, observer_, {{AddPeer{peer("laptop", "alice", 3, {"10.0.0.3/32"})}, ""}});
    CPPUNIT_ASSERT_THROW(become(registry_, observer_, {user("carol")}, {}, false), Refused);
    CPPUNIT_ASSERT(registry_.peer("laptop") != nullptr);
    become(registry_, observer_, {user("carol")}, {}, true);
    CPPUNIT_ASSERT(registry_.peer("laptop") == nullptr);
  }

  void a_tenth_of_the_users_may_go() {
    Registry registry({40, 1, 1});
    std::vector<UserSpec> users;
    for (int i = 0; i < 30; ++i) users.push_back(user("u" + std::to_string(i)));
    become(registry, observer_, users, {});
    test::pass(registry, observer_, {{AddUser{user("x")}, ""}, {AddUser{user("y")}, ""}});
    users.resize(26);
    CPPUNIT_ASSERT_THROW(become(registry, observer_, users, {}, false), Refused);
    CPPUNIT_ASSERT_EQUAL(size_t{32}, registry.user_count());
    users.push_back(user("u29"));
    become(registry, observer_, users, {}, false);  // three of thirty
    CPPUNIT_ASSERT_EQUAL(size_t{29}, registry.user_count());
    become(registry, observer_, {}, {}, true);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, registry.user_count());
  }

  void one_user_may_always_go() {
    become(registry_, observer_, {user("alice"), user("bob")}, {});
    become(registry_, observer_, {user("bob")}, {}, false);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, registry_.user_count());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RegistryDifferenceTest);

}  // namespace wirelay::ctrl
