// Protects what reaches the workers: limits, addresses and keys of the registry's users and peers,
// taken away at once when they go, no number used twice while a worker may still look at it, and
// nothing left of a request that does not fit.
#include <algorithm>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/ctrl/users/published.h"

namespace wirelay::ctrl {

namespace {

using dataplane::RouteKind;
using test::Published;

Step add_user(const std::string& name, uint64_t up_bits = 0, bool enabled = true) {
  UserSpec spec;
  spec.name = name;
  spec.values[UserField::kUpRate] = up_bits;
  spec.values[UserField::kEnabled] = enabled;
  return {AddUser{spec}, "users"};
}

Step add_peer(const std::string& name, const std::string& user, uint8_t key,
              const std::string& allowed) {
  PeerSpec spec;
  spec.name = name;
  spec.user = user;
  spec.public_key = crypto::derive_public_key(crypto::Secret(crypto::Bytes32{0, key}));
  spec.allowed_ips = {*dataplane::parse_prefix(allowed)};
  return {AddPeer{spec}, "peers"};
}

class PublisherTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PublisherTest);
  CPPUNIT_TEST(users_have_their_limits);
  CPPUNIT_TEST(peers_are_reached_until_removed);
  CPPUNIT_TEST(changed_addresses_move);
  CPPUNIT_TEST(an_endpoint_that_is_named_moves_the_peer);
  CPPUNIT_TEST(numbers_wait_for_a_grace_period);
  CPPUNIT_TEST(full_tables_are_replaced_in_one_request);
  CPPUNIT_TEST(a_full_table_undoes_the_request);
  CPPUNIT_TEST(disabled_users);
  CPPUNIT_TEST(quotas_and_ends);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { world_ = std::make_unique<Published>(); }
  void tearDown() override { world_.reset(); }

  /// What holds for a user reaches its record, and goes with it.
  void quotas_and_ends() {
    apply({add_user("alice"), add_user("bob")});
    const uint32_t number = *world_->publisher.user_number("alice");
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, world_->shared.users.flags(number));
    UserChange change;
    change.name = "alice";
    change.set(UserField::kQuotaBytes, 1'000);
    change.set(UserField::kQuotaCounts, static_cast<uint64_t>(dataplane::QuotaCounts::kUp));
    change.set(UserField::kExpires, kLeastMoment);
    apply({{SetUser{change}, ""}});
    CPPUNIT_ASSERT(
        world_->publisher.tick({1, 1, (kLeastMoment + 1) * kNsPerSecond}, std::chrono::hours(1)));
    CPPUNIT_ASSERT_EQUAL(uint8_t{dataplane::kCountedUp | dataplane::kEnded},
                         world_->shared.users.flags(number));
    CPPUNIT_ASSERT_EQUAL(uint8_t{0},
                         world_->shared.users.flags(*world_->publisher.user_number("bob")));
    world_->shared.users.add_use(number, {600, 0});
    apply({{ResetQuota{"alice"}, ""}});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, world_->shared.users.quota(number).use().up);
    apply({{RemoveUser{"alice"}, ""}});
    world_->shared.rcu.poll();
    apply({add_user("carol")});
    CPPUNIT_ASSERT_EQUAL(number, *world_->publisher.user_number("carol"));
    CPPUNIT_ASSERT_EQUAL(uint8_t{0}, world_->shared.users.flags(number));
  }

  void users_have_their_limits() {
    apply({add_user("alice", 20'000'000), add_user("bob")});
    CPPUNIT_ASSERT(!policer("alice").unlimited());
    CPPUNIT_ASSERT(policer("bob").unlimited());
    UserChange change;
    change.name = "alice";
    change.set(UserField::kUpRate, 0);
    apply({{SetUser{change}, ""}});
    CPPUNIT_ASSERT(policer("alice").unlimited());
    CPPUNIT_ASSERT(!world_->publisher.user_number("carol"));
  }

  void peers_are_reached_until_removed() {
    apply({add_user("alice"), add_peer("phone", "alice", 7, "10.77.0.2")});
    const uint32_t number = *world_->publisher.peer_number("phone");
    CPPUNIT_ASSERT(route("10.77.0.2").kind() == RouteKind::kPeer);
    CPPUNIT_ASSERT_EQUAL(number, route("10.77.0.2").id());
    CPPUNIT_ASSERT_EQUAL(*world_->publisher.user_number("alice"),
                         world_->shared.peers[number].user);
    apply({{RemoveUser{"alice"}, ""}});
    CPPUNIT_ASSERT(route("10.77.0.2").kind() == RouteKind::kNone);
    CPPUNIT_ASSERT(!world_->shared.peers[number].alive.load());
    CPPUNIT_ASSERT(!world_->publisher.peer_number("phone"));
    CPPUNIT_ASSERT(!world_->publisher.user_number("alice"));
  }

  void changed_addresses_move() {
    apply({add_user("alice"), add_peer("phone", "alice", 7, "10.77.0.2")});
    PeerChange change;
    change.name = "phone";
    change.set<PeerField::kAllowedIps>(std::vector{*dataplane::parse_prefix("10.77.0.9")});
    apply({{SetPeer{change}, ""}});
    CPPUNIT_ASSERT(route("10.77.0.2").kind() == RouteKind::kNone);
    CPPUNIT_ASSERT(route("10.77.0.9").kind() == RouteKind::kPeer);
  }

  void an_endpoint_that_is_named_moves_the_peer() {
    apply({add_user("alice"), add_peer("phone", "alice", 7, "10.77.0.2")});
    const auto there = *dataplane::parse_endpoint("203.0.113.2:51820");
    place("phone", there);
    CPPUNIT_ASSERT(endpoint("phone") == there);
    // It roams, and is called back to what was configured all the time.
    const auto elsewhere = *dataplane::parse_endpoint("203.0.113.9:9");
    const auto path =
        dataplane::make_path({*dataplane::parse_ip("198.51.100.1"), 51820}, elsewhere, 0, 0, 1500);
    world_->peers.set_path(*world_->publisher.peer_number("phone"), &path);
    CPPUNIT_ASSERT(endpoint("phone") == elsewhere);
    place("phone", there);
    CPPUNIT_ASSERT(endpoint("phone") == there);
    place("phone", dataplane::Endpoint{});
    CPPUNIT_ASSERT(!endpoint("phone"));
  }

  void numbers_wait_for_a_grace_period() {
    apply({add_user("alice")});
    const uint32_t number = *world_->publisher.user_number("alice");
    world_->shared.rcu.online(0);  // a worker that may look at the user
    apply({{RemoveUser{"alice"}, ""}, add_user("bob")});
    CPPUNIT_ASSERT(*world_->publisher.user_number("bob") != number);
    world_->shared.rcu.quiescent(0);
    world_->shared.rcu.poll();
    apply({add_user("carol")});
    CPPUNIT_ASSERT_EQUAL(number, *world_->publisher.user_number("carol"));
    world_->shared.rcu.offline(0);
  }

  void full_tables_are_replaced_in_one_request() {
    apply({add_user("a"), add_user("b"), add_peer("p", "a", 7, "10.0.0.1"),
           add_peer("q", "b", 8, "10.0.0.2")});
    apply({{RemoveUser{"a"}, ""},
           {RemoveUser{"b"}, ""},
           add_user("c"),
           add_user("d"),
           add_peer("r", "c", 9, "10.0.0.1"),
           add_peer("s", "d", 10, "10.0.0.2")});
    CPPUNIT_ASSERT(world_->publisher.user_number("c") && world_->publisher.user_number("d"));
    CPPUNIT_ASSERT_EQUAL(*world_->publisher.peer_number("r"), route("10.0.0.1").id());
    CPPUNIT_ASSERT_EQUAL(*world_->publisher.peer_number("s"), route("10.0.0.2").id());
  }

  void a_full_table_undoes_the_request() {
    apply({add_user("a"), add_peer("p", "a", 7, "10.0.0.1"), add_peer("q", "a", 8, "10.0.0.2")});
    PeerChange change;
    change.name = "p";
    change.set<PeerField::kAllowedIps>(std::vector{*dataplane::parse_prefix("10.0.0.9")});
    CPPUNIT_ASSERT_THROW(
        apply({add_user("b"), {SetPeer{change}, ""}, add_peer("r", "b", 9, "10.0.0.1")}),
        std::runtime_error);
    CPPUNIT_ASSERT(world_->registry.user("b") == nullptr && !world_->publisher.user_number("b"));
    CPPUNIT_ASSERT(world_->registry.peer("r") == nullptr && !world_->publisher.peer_number("r"));
    CPPUNIT_ASSERT_EQUAL(*world_->publisher.peer_number("p"), route("10.0.0.1").id());
    CPPUNIT_ASSERT(route("10.0.0.9").kind() == RouteKind::kNone);
    apply({{RemovePeer{"q"}, ""}, add_peer("r", "a", 9, "10.0.0.3")});
  }

  void disabled_users() {
    // A disabled user's peer sends no initiation for a packet that waits.
    apply({add_user("alice", 0, false), add_peer("phone", "alice", 7, "10.77.0.2")});
    wait_for_session("phone");
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, world_->protocol.counters().held_dropped);
    UserChange change;
    change.name = "alice";
    change.set(UserField::kEnabled, 1);
    apply({{SetUser{change}, ""}});
    wait_for_session("phone");
    CPPUNIT_ASSERT_EQUAL(uint64_t{2}, world_->protocol.counters().held_packets);
  }

 private:
  /// As the control thread does, which runs down grace periods meanwhile.
  void apply(std::vector<Step> steps) {
    ChangeRequest request;
    request.steps = std::move(steps);
    const auto tell = [this](Telling& telling) {
      while (!telling.run(Slice(std::chrono::seconds(1)))) world_->shared.rcu.poll();
      return true;
    };
    const ChangeRequest* const requests[] = {&request};
    const auto outcomes = pass(world_->registry, world_->publisher, nullptr, requests, tell);
    if (outcomes[0].error) std::rethrow_exception(outcomes[0].error);
  }
  void place(const std::string& peer, const dataplane::Endpoint& endpoint) {
    PeerChange change;
    change.name = peer;
    change.set<PeerField::kEndpoint>(endpoint);
    apply({{SetPeer{change}, ""}});
  }
  std::optional<dataplane::Endpoint> endpoint(const std::string& peer) {
    return world_->protocol.status(*world_->publisher.peer_number(peer)).endpoint;
  }
  dataplane::Policer& policer(const std::string& user) {
    return world_->shared.users[*world_->publisher.user_number(user)].up;
  }
  dataplane::RouteTarget route(const std::string& addr) {
    return world_->shared.prefixes.lookup(*dataplane::parse_ip(addr));
  }
  void wait_for_session(const std::string& peer) {
    rte_mbuf* packet = rte_pktmbuf_alloc(world_->pool.get());
    auto* ip = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(packet, 64));
    ip[0] = 0x45;
    std::copy_n(&dataplane::parse_ip("10.77.0.2")->bytes[12], 4, ip + 16);
    world_->protocol.handle(dataplane::Punt{packet, dataplane::PuntReason::kNoSession, 0, 0,
                                            *world_->publisher.peer_number(peer)},
                            Now{1, 1, 1});
  }

  std::unique_ptr<Published> world_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(PublisherTest);

}  // namespace
}  // namespace wirelay::ctrl
