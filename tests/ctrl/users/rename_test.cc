// Protects: that a name is a label. Whoever is given another keeps all that it has; names and
// addresses may be swapped within one request, which is told in an order that works forwards and,
// when it fails, backwards; and what would leave two of one name is refused.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/registry_fixture.h"

namespace wirelay::ctrl {

class RenameTest : public RegistryFixture {
  CPPUNIT_TEST_SUITE(RenameTest);
  CPPUNIT_TEST(a_user_keeps_its_peers_and_its_number);
  CPPUNIT_TEST(a_peer_keeps_its_place);
  CPPUNIT_TEST(names_are_swapped);
  CPPUNIT_TEST(names_go_around);
  CPPUNIT_TEST(what_leaves_two_of_a_name_is_refused);
  CPPUNIT_TEST(addresses_are_swapped);
  CPPUNIT_TEST(the_last_step_on_a_peer_counts);
  CPPUNIT_TEST(a_failure_at_any_event_takes_the_names_back);
  CPPUNIT_TEST(requests_that_wait_together_see_the_names);
  CPPUNIT_TEST(what_is_told_of_it_is_short);
  CPPUNIT_TEST_SUITE_END();

  static RenameUsers users(const std::vector<std::pair<std::string, std::string>>& names) {
    RenameUsers step;
    for (const auto& [from, to] : names) step.all.push_back({from, to, "at." + from});
    return step;
  }
  static RenamePeers peers(const std::vector<std::pair<std::string, std::string>>& names) {
    return {users(names).all};
  }

  void with_two() {
    apply({AddUser{user("alice")}, AddUser{user("bob")},
           AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})},
           AddPeer{peer("pad", "alice", 2, {"10.0.0.2/32"})},
           AddPeer{peer("laptop", "bob", 3, {"10.0.0.3/32"})}});
    observer_.heard.clear();
  }

 public:
  void a_user_keeps_its_peers_and_its_number() {
    with_two();
    const uint64_t id = registry_.user("alice")->id;
    apply({users({{"alice", "carol"}})});
    CPPUNIT_ASSERT(!registry_.user("alice"));
    CPPUNIT_ASSERT_EQUAL(id, registry_.user("carol")->id);
    CPPUNIT_ASSERT(registry_.peers_of("carol") == (std::set<std::string>{"pad", "phone"}));
    CPPUNIT_ASSERT_EQUAL(std::string("carol"), registry_.peer("pad")->user);
    const std::vector<std::string> expected = {"user~ carol", "peer~ pad", "peer~ phone"};
    CPPUNIT_ASSERT(expected == observer_.heard);
    apply({RemoveUser{"carol"}, AddUser{user("alice")}});
    CPPUNIT_ASSERT_EQUAL(size_t{1}, registry_.peer_count());
  }

  void a_peer_keeps_its_place() {
    with_two();
    apply({peers({{"phone", "zphone"}})});
    CPPUNIT_ASSERT(registry_.peers_of("alice") == (std::set<std::string>{"pad", "zphone"}));
    CPPUNIT_ASSERT(observer_.heard == std::vector<std::string>{"peer~ zphone"});
    assert_refused({set_allowed("laptop", {"10.0.0.1/32"})}, "steps[0].allowed_ips[0]",
                   "is peer \"zphone\"'s");
    apply({RemovePeer{"zphone"}, AddPeer{peer("phone", "bob", 1, {"10.0.0.1/32"})}});
  }

  void names_are_swapped() {
    with_two();
    const uint64_t alice = registry_.user("alice")->id;
    apply(
        {users({{"alice", "bob"}, {"bob", "alice"}}), peers({{"phone", "pad"}, {"pad", "phone"}})});
    CPPUNIT_ASSERT_EQUAL(alice, registry_.user("bob")->id);
    CPPUNIT_ASSERT(registry_.peers_of("bob") == (std::set<std::string>{"pad", "phone"}));
    CPPUNIT_ASSERT(registry_.peers_of("alice") == std::set<std::string>{"laptop"});
    CPPUNIT_ASSERT(registry_.peer("pad")->public_key == test_key(1));
    CPPUNIT_ASSERT_EQUAL(std::string("bob"), registry_.peer("pad")->user);
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), registry_.peer("laptop")->user);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, registry_.user_count());
    CPPUNIT_ASSERT_EQUAL(size_t{3}, registry_.peer_count());
  }

  void names_go_around() {
    with_two();
    apply({peers({{"phone", "pad"}, {"pad", "laptop"}, {"laptop", "watch"}})});
    CPPUNIT_ASSERT(registry_.peer("pad")->public_key == test_key(1));
    CPPUNIT_ASSERT(registry_.peer("laptop")->public_key == test_key(2));
    CPPUNIT_ASSERT(registry_.peer("watch")->public_key == test_key(3));
    apply({peers({{"pad", "laptop"}, {"laptop", "watch"}, {"watch", "pad"}})});
    CPPUNIT_ASSERT(registry_.peer("laptop")->public_key == test_key(1));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, registry_.peer_count());
    apply({peers({{"laptop", "laptop"}})});
  }

  void what_leaves_two_of_a_name_is_refused() {
    with_two();
    assert_refused({users({{"alice", "bob"}})}, "at.alice.to", "there is a user \"bob\" already");
    assert_refused({users({{"alice", "x"}, {"bob", "x"}})}, "at.bob.to", "another user");
    assert_refused({users({{"alice", "x"}, {"alice", "y"}})}, "at.alice.name", "twice");
    assert_refused({users({{"carol", "x"}})}, "at.carol.name", "there is no user \"carol\"");
    assert_refused({users({{"alice", "a b"}})}, "at.alice.to", "is no name");
    assert_refused({users({{"alice", "~bob"}})}, "at.alice.to", "is no name");
    assert_refused({peers({{"phone", "pad"}})}, "at.phone.to", "there is a peer \"pad\" already");
    assert_refused({peers({{"phone", "pad"}, {"pad", "pad"}})}, "at.pad.to", "another peer");
  }

  void addresses_are_swapped() {
    with_two();
    apply({set_allowed("phone", {"10.0.0.3/32", "10.1.0.0/24"}),
           set_allowed("laptop", {"10.0.0.1/32"})});
    CPPUNIT_ASSERT(registry_.peer("phone")->allowed_ips.front() == prefix("10.0.0.3/32"));
    CPPUNIT_ASSERT(registry_.peer("laptop")->allowed_ips.front() == prefix("10.0.0.1/32"));
    // Who keeps what another wants is still asked.
    assert_refused({set_allowed("phone", {"10.0.0.1/32"}), set_allowed("laptop", {"10.0.0.1/32"})},
                   "steps[0].allowed_ips[0]", "is peer \"laptop\"'s");
  }

  void the_last_step_on_a_peer_counts() {
    with_two();
    apply({set_allowed("phone", {"10.0.0.3/32"}), set_allowed("phone", {"10.0.0.9/32"})});
    apply({set_allowed("pad", {"10.0.0.3/32"}), RemovePeer{"laptop"}});
    CPPUNIT_ASSERT(registry_.peer("pad")->allowed_ips.front() == prefix("10.0.0.3/32"));
    apply({AddPeer{peer("watch", "bob", 7, {"10.0.0.3/32"})}, RemovePeer{"watch"}});
  }

  void a_failure_at_any_event_takes_the_names_back() {
    with_two();
    const std::string before = contents(registry_);
    class Failing : public ChangeObserver {
     public:
      int left = 0;
      bool tell(const ChangeEvent&) override {
        if (left-- == 0) throw std::runtime_error("no room");
        return true;
      }
    } failing;
    const std::vector<Step> steps = {{users({{"alice", "bob"}, {"bob", "alice"}}), ""},
                                     {peers({{"phone", "laptop"}, {"laptop", "phone"}}), ""},
                                     {set_allowed("phone", {"10.0.0.1/32"}), ""},
                                     {set_allowed("laptop", {"10.0.0.3/32"}), ""}};
    int failed = 0;
    for (; failed < 100; ++failed) {
      failing.left = failed;
      try {
        test::pass(registry_, failing, steps);
        break;
      } catch (const std::runtime_error&) {
        CPPUNIT_ASSERT_EQUAL(before, contents(registry_));
      }
    }
    CPPUNIT_ASSERT(failed > 8 && failed < 100);
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), registry_.peer("phone")->user);
  }

  void requests_that_wait_together_see_the_names() {
    with_two();
    std::vector<ChangeRequest> requests(3);
    requests[0].steps = {{users({{"alice", "carol"}}), ""}, {peers({{"pad", "tab"}}), ""}};
    requests[1].steps = {{RemoveUser{"bob"}, ""}, {users({{"carol", "bob"}}), ""}};
    requests[2].steps = {{RemovePeer{"tab"}, ""}, {AddPeer{peer("p", "bob", 2, {})}, ""}};
    const std::vector<const ChangeRequest*> pointers = {&requests[0], &requests[1], &requests[2]};
    const auto outcomes = ctrl::pass(registry_, observer_, nullptr, pointers,
                                     [](Telling& telling) {
                                       while (!telling.run(Slice(std::chrono::seconds(1))))
                                         continue;
                                       return true;
                                     },
                                     {});
    for (const auto& outcome : outcomes) CPPUNIT_ASSERT(!outcome.error);
    CPPUNIT_ASSERT(registry_.peers_of("bob") == (std::set<std::string>{"p", "phone"}));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, registry_.user_count());
  }

  void what_is_told_of_it_is_short() {
    with_two();
    ChangeRequest request;
    request.dry_run = true;
    request.steps = {{users({{"alice", "bob"}, {"bob", "alice"}}), ""}};
    const ChangeOutcome outcome = pass_at_once(registry_, observer_, nullptr, request);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, outcome.counts.users_changed);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, outcome.counts.peers_changed);
    const std::vector<std::string> expected = {"~ user bob: name: \"alice\" to \"bob\"",
                                               "~ user alice: name: \"bob\" to \"alice\""};
    CPPUNIT_ASSERT(expected == outcome.difference);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RenameTest);

}  // namespace wirelay::ctrl
