// Protects reloads: the difference leads from any state to the wanted one in one request, whatever
// has to make room for what.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/users/registry.h"
#include "tests/ctrl/users/registry_specs.h"

namespace wirelay::ctrl {

using namespace test;

class RegistryDifferenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RegistryDifferenceTest);
  CPPUNIT_TEST(leads_to_the_wanted_state);
  CPPUNIT_TEST(moves_addresses_between_peers);
  CPPUNIT_TEST(refuses_doubles);
  CPPUNIT_TEST_SUITE_END();

  RecordingObserver observer_;
  Registry registry_{{4, 6, 20, {}}, observer_};

  void assert_becomes(const std::vector<UserSpec>& users, const std::vector<PeerSpec>& peers) {
    registry_.apply(registry_.difference(users, peers));
    RecordingObserver other;
    Registry fresh({4, 6, 20, {}}, other);
    fresh.apply(fresh.difference(users, peers));
    CPPUNIT_ASSERT_EQUAL(contents(fresh), contents(registry_));
    CPPUNIT_ASSERT(registry_.difference(users, peers).empty());
  }

 public:
  void leads_to_the_wanted_state() {
    UserSpec alice = user("alice"), bob = user("bob"), carol = user("carol");
    alice.max_peers = 2;
    assert_becomes({alice, bob}, {peer("a1", "alice", 1, {"10.0.0.1/32"}),
                                  peer("a2", "alice", 2, {"10.0.0.2/32"}),
                                  peer("b1", "bob", 3, {"10.0.0.3/32"})});
    observer_.heard.clear();
    alice.max_peers = 1;  // fits only once a peer is gone
    bob.enabled = false;
    assert_becomes({alice, bob, carol}, {peer("a2", "alice", 2, {"10.0.0.2/32"}),
                                         peer("b1", "carol", 3, {"10.0.0.1/32"})});
    const std::vector<std::string> expected = {"peer- a1",  "peer- b1",    "user~ alice",
                                               "user~ bob", "user+ carol", "peer+ b1 of carol"};
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

  void refuses_doubles() {
    registry_.apply(std::vector<Step>{{AddUser{user("alice")}, ""},
                                      {AddPeer{peer("phone", "alice", 1, {"10.0.0.0/24"})}, ""}});
    const std::vector<UserSpec> twice = {user("alice"), user("alice")};
    CPPUNIT_ASSERT_THROW(registry_.apply(registry_.difference(twice, {})), Refused);
    const std::vector<PeerSpec> peers(2, peer("phone", "alice", 1, {"10.0.0.0/24"}));
    const std::vector<UserSpec> once = {user("alice")};
    CPPUNIT_ASSERT_THROW(registry_.apply(registry_.difference(once, peers)), Refused);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RegistryDifferenceTest);

}  // namespace wirelay::ctrl
