// Protects who a key, a prefix or an endpoint belongs to: one owner, none of the relay's own, and
// nothing that no peer can have.
#include <map>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/users/passage.h"
#include "tests/ctrl/users/registry_fixture.h"

namespace wirelay::ctrl {

class ClaimsTest : public RegistryFixture {
  CPPUNIT_TEST_SUITE(ClaimsTest);
  CPPUNIT_TEST(a_prefix_has_one_owner);
  CPPUNIT_TEST(prefixes_nest);
  CPPUNIT_TEST(a_peer_has_so_many_prefixes);
  CPPUNIT_TEST(a_prefix_moves_when_told_to);
  CPPUNIT_TEST(our_own_key_is_no_peers);
  CPPUNIT_TEST(endpoints_are_where_a_peer_can_be);
  CPPUNIT_TEST(an_endpoint_of_a_family_without_a_port_is_warned_of);
  CPPUNIT_TEST(a_request_that_names_an_endpoint_places_the_peer);
  CPPUNIT_TEST(the_relays_addresses_are_reserved);
  CPPUNIT_TEST(addresses_of_no_host_are_refused);
  CPPUNIT_TEST(freed_addresses_and_keys_can_be_taken_at_once);
  CPPUNIT_TEST_SUITE_END();

  /// "": nowhere.
  static SetPeer placed(const std::string& name, const std::string& endpoint) {
    SetPeer step;
    step.change.name = name;
    step.change.set<PeerField::kEndpoint>(endpoint.empty() ? dataplane::Endpoint{}
                                                           : dataplane::parse_endpoint(endpoint));
    return step;
  }

 public:
  void a_prefix_has_one_owner() {
    with_alice();
    assert_refused({AddPeer{peer("x", "alice", 2, {"10.0.0.0/24"})}}, "steps[0].allowed_ips[0]",
                   "is peer \"phone\"'s");
    apply({AddPeer{peer("x", "alice", 2, {"10.0.1.0/24"})}});
    assert_refused({set_allowed("x", {"10.0.1.0/24", "10.0.0.0/24"})}, "steps[0].allowed_ips[1]",
                   "is peer \"phone\"'s");
    assert_refused({AddPeer{peer("y", "alice", 3, {"10.9.0.0/24", "10.9.0.0/24"})}},
                   "steps[0].allowed_ips[1]", "listed twice");
  }

  /// The longest match rules, so the order in which they come is no matter.
  void prefixes_nest() {
    with_alice();
    apply({AddPeer{peer("host", "alice", 2, {"10.0.0.9/32"})},
           AddPeer{peer("all", "alice", 3, {"0.0.0.0/0", "::/0", "10.77.0.0/24", "198.0.0.0/8"})},
           AddPeer{peer("site", "alice", 4, {"11.1.0.0/16", "11.0.0.0/8"})}});
    apply({RemovePeer{"all"}, set_allowed("host", {"10.0.0.9/32", "0.0.0.0/0"})});
  }

  /// They are entered at once.
  void a_peer_has_so_many_prefixes() {
    with_alice();
    const std::vector<std::string> list(kMostAllowedIps + 1, "10.9.0.0/24");
    assert_refused({AddPeer{peer("x", "alice", 2, list)}}, "steps[0].allowed_ips",
                   "holds 4097 prefixes; a peer has at most 4096");
  }

  void a_prefix_moves_when_told_to() {
    with_alice();
    apply({AddUser{user("bob")}});
    apply({AddPeer{peer("x", "bob", 2, {"10.0.0.0/24", "10.5.0.0/24"}), true}});
    CPPUNIT_ASSERT(registry_.peer("phone")->allowed_ips.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, registry_.peer("x")->allowed_ips.size());
    SetPeer back = set_allowed("phone", {"10.0.0.0/24"});
    back.move = true;
    apply({back});
    CPPUNIT_ASSERT(registry_.peer("x")->allowed_ips == std::vector{prefix("10.5.0.0/24")});
    apply({AddPeer{peer("y", "bob", 3, {"10.7.0.0/24"}), true}});  // nobody's: nothing to take
    back.change.set<PeerField::kAllowedIps>(std::vector{prefix("10.77.0.1/32")});
    assert_refused({back}, "steps[0].allowed_ips[0]", "the relay's own address");
  }

  void our_own_key_is_no_peers() {
    with_alice();
    assert_refused({AddPeer{peer("x", "alice", 99, {"10.0.1.0/24"})}}, "steps[0].public_key",
                   "the relay's own key");
  }

  void endpoints_are_where_a_peer_can_be() {
    with_alice();
    for (const auto& [text, words] :
         std::map<std::string, std::string>{{"198.51.100.1:9", "is the relay's own address"},
                                            {"224.0.0.1:9", "multicast"},
                                            {"255.255.255.255:9", "broadcast"},
                                            {"127.0.0.1:9", "loopback"},
                                            {"0.0.0.0:9", "this network"},
                                            {"[::]:9", "unspecified"},
                                            {"[ff02::1]:9", "multicast"}}) {
      assert_refused({placed("phone", text)}, "steps[0].endpoint", words);
      PeerSpec spec = peer("x", "alice", 2, {});
      spec.endpoint = dataplane::parse_endpoint(text);
      assert_refused({AddPeer{spec}}, "steps[0].endpoint", words);
    }
    apply({placed("phone", "198.51.100.2:9")});
  }

  void an_endpoint_of_a_family_without_a_port_is_warned_of() {
    with_alice();
    const auto warnings = [&](const std::string& endpoint) {
      const Step step{placed("phone", endpoint), "params"};
      return check_steps(registry_, Origin::kApi, {&step, 1}).warnings;
    };
    CPPUNIT_ASSERT(warnings("198.51.100.2:9").empty());
    const auto found = warnings("[2001:db8::2]:9");
    CPPUNIT_ASSERT_EQUAL(size_t{1}, found.size());
    CPPUNIT_ASSERT_EQUAL(std::string("params.endpoint"), found.front().path);
    CPPUNIT_ASSERT(found.front().message.starts_with("2001:db8::2 is an IPv6 address"));
  }

  void a_request_that_names_an_endpoint_places_the_peer() {
    with_alice();
    const auto place_told = [&](const Change& change) {
      const Step step{change, ""};
      const auto events = check_steps(registry_, Origin::kApi, {&step, 1}).events;
      return std::get<PeerEvent>(events.front()).placed;
    };
    const auto there = dataplane::parse_endpoint("198.51.100.2:9");
    for (int i = 0; i < 2; ++i) {  // the same one again, too
      CPPUNIT_ASSERT(place_told(placed("phone", "198.51.100.2:9")) == there);
      apply({placed("phone", "198.51.100.2:9")});
    }
    CPPUNIT_ASSERT(!place_told(set_allowed("phone", {"10.0.1.0/24"})));
    CPPUNIT_ASSERT(registry_.peer("phone")->endpoint == there);
    CPPUNIT_ASSERT(place_told(placed("phone", "")) == dataplane::Endpoint{});
    apply({placed("phone", "")});
    CPPUNIT_ASSERT(!registry_.peer("phone")->endpoint);
  }

  void the_relays_addresses_are_reserved() {
    apply({AddUser{user("alice")}});
    for (const std::string text : {"10.77.0.1/32", "fd77::1/128"}) {
      assert_refused({AddPeer{peer("x", "alice", 1, {text})}}, "steps[0].allowed_ips[0]",
                     text + " is the relay's own address");
    }
    // Hosts beside a port are neighbours; what holds their network is a peer's like any other.
    for (const std::string text : {"198.51.100.0/24", "198.51.100.7/32"}) {
      assert_refused({AddPeer{peer("x", "alice", 1, {text})}}, "steps[0].allowed_ips[0]",
                     "a network of the relay's ports");
    }
    assert_refused({AddPeer{peer("x", "alice", 1, {"203.0.113.0/24"})}}, "steps[0].allowed_ips[0]",
                   "a route of the relay's own");
    apply({AddPeer{peer("x", "alice", 1, {"10.77.0.0/24", "fd77::/64", "203.0.113.9/32"})}});
  }

  void addresses_of_no_host_are_refused() {
    with_alice();
    for (const std::string text :
         {"0.0.0.0/8", "0.1.2.3/32", "127.0.0.0/8", "127.0.0.1/32", "224.0.0.0/4", "239.1.0.0/16",
          "240.0.0.0/4", "224.0.0.0/3", "255.255.255.255/32", "::/128", "::1/128", "::/96",
          "fe80::/10", "fe80::1/128", "ff00::/8", "ff02::1/128"}) {
      assert_refused({AddPeer{peer("x", "alice", 2, {"10.1.0.0/24", text})}},
                     "steps[0].allowed_ips[1]", text + " lies within");
      assert_refused({set_allowed("phone", {text})}, "steps[0].allowed_ips[0]", "lies within");
    }
    // Prefixes that hold such addresses among others stay what they are.
    Registry registry({1, 1, 10});
    test::pass(
        registry, observer_,
        {{AddUser{user("alice")}, ""},
         {AddPeer{peer("phone", "alice", 1,
                       {"0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "8000::/1", "fe00::/8"})},
          ""}});
  }

  void freed_addresses_and_keys_can_be_taken_at_once() {
    with_alice();
    apply({RemovePeer{"phone"}, AddPeer{peer("phone", "alice", 1, {"10.0.0.0/24"})}});
    apply({AddUser{user("bob")}, AddPeer{peer("tablet", "bob", 2, {"10.0.1.0/24"})}});
    apply({set_allowed("phone", {}), set_allowed("tablet", {"10.0.0.0/24"}),
           set_allowed("phone", {"10.0.1.0/24"})});
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.1.0/24"),
                         to_string(registry_.peer("phone")->allowed_ips.front()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClaimsTest);

}  // namespace wirelay::ctrl
