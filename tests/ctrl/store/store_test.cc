// Protects what a store is for: users and peers are found again as they were, with what they
// carried; what could not be made so is taken back. What the file itself is like, OpenStoreTest
// protects.
#include "ctrl/store/store.h"

#include <future>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "ctrl/base/json.h"
#include "ctrl/events/render.h"
#include "tests/ctrl/store/faulty_files.h"
#include "tests/ctrl/store/store_fixture.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

class StoreTest : public StoreFixture {
  CPPUNIT_TEST_SUITE(StoreTest);
  CPPUNIT_TEST(is_found_again);
  CPPUNIT_TEST(every_field_is_found_again);
  CPPUNIT_TEST(what_fails_midway_is_taken_back);
  CPPUNIT_TEST(lives_are_found_again);
  CPPUNIT_TEST(removed_peers_stay_in_their_users_sum);
  CPPUNIT_TEST(addresses_of_removed_peers_are_remembered);
  CPPUNIT_TEST(a_key_that_comes_again_begins_anew);
  CPPUNIT_TEST(the_start_writes_what_differs);
  CPPUNIT_TEST(what_is_reset_by_hand_is_on_disk);
  CPPUNIT_TEST(events_are_found_again);
  CPPUNIT_TEST(numbers_are_never_given_again);
  CPPUNIT_TEST_SUITE_END();

 public:
  void is_found_again() {
    Store store(file_);
    with_alice(store);
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT(kept_.pass(
        store, {{set_user("alice", [](auto& c) { c.set(UserField::kUpRate, 5000); }), ""},
                {set_allowed("phone", {"fd00::7/128", "10.0.0.9/32"}), ""},
                {RemovePeer{"pad"}, ""},
                {AddUser{user("bob")}, ""}}));
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT(kept_.pass(store, {{RemoveUser{"alice"}, ""}, {RemoveUser{"bob"}, ""}}));
    CPPUNIT_ASSERT_EQUAL(std::string(), contents(stored()));
  }

  void every_field_is_found_again() {
    Store store(file_);
    UserSpec alice = user("alice");
    for (size_t i = 0; i < kUserFieldCount; ++i) {
      const FieldKind& kind = kUserFields[i].kind;
      alice.values[static_cast<UserField>(i)] = std::min(kind.least + i + 1, kind.most);
    }
    PeerSpec phone = peer("phone", "alice", 1, {"10.0.0.1/32", "fd00::1/128"});
    phone.preshared_key = crypto::Secret(test_key(77));
    phone.endpoint = dataplane::parse_endpoint("[2001:db8::5]:4711");
    phone.persistent_keepalive = 25;
    CPPUNIT_ASSERT(kept_.pass(store, {{AddUser{alice}, ""}, {AddPeer{phone}, ""}}));
    const Stored found = stored();
    CPPUNIT_ASSERT(found.users.at(0).spec.values == alice.values);
    CPPUNIT_ASSERT(found.users[0].spec.origin == Origin::kApi);
    const PeerSpec& again = found.peers.at(0).spec;
    CPPUNIT_ASSERT(again.public_key == phone.public_key && again.endpoint == phone.endpoint);
    CPPUNIT_ASSERT(again.allowed_ips == phone.allowed_ips);
    CPPUNIT_ASSERT(again.preshared_key->bytes() == phone.preshared_key->bytes());
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, again.persistent_keepalive);
  }

  void what_fails_midway_is_taken_back() {
    Store store(file_);
    with_alice(store);
    const std::string before = contents(stored());
    struct Full : ChangeObserver {
      bool tell(const ChangeEvent& event) override {
        const auto* user = std::get_if<UserEvent>(&event);
        if (user != nullptr && user->after && user->after->name == "bob") {
          throw std::runtime_error("the table is full");
        }
        return true;
      }
    } full;
    ChangeRequest request;
    request.steps = {{RemovePeer{"phone"}, ""},
                     {set_allowed("pad", {"10.0.0.7/32"}), ""},
                     {AddUser{user("bob")}, ""}};
    CPPUNIT_ASSERT(pass_at_once(kept_.registry, full, &store, request).error);
    CPPUNIT_ASSERT_EQUAL(before, contents(stored()));
  }

  void lives_are_found_again() {
    PeerLife life;
    life.traffic = traffic(7);
    life.where = Whereabouts{*dataplane::parse_endpoint("203.0.113.9:4000"),
                             *dataplane::parse_endpoint("198.51.100.1:51820")};
    life.timestamp = crypto::make_timestamp(1'800'000'000'000'000'000);
    life.handshake_unix_ns = 1'800'000'000'000'000'001;
    const UserLife of_user{
        traffic(3), {1'800'000'000, traffic(2)}, {1'799'000'000, {70, 80}, 95}, 1'700'000'000};
    {
      Store store(file_);
      with_alice(store);
      Lives lives;
      lives.told = store.told();
      lives.users.push_back({1, of_user, {}, {{test_key(1), life}}});
      store.save(lives, [] {});
    }  // the end waits for it
    const Stored found = stored();
    CPPUNIT_ASSERT(found.users.at(0).life == of_user);
    for (const StoredPeer& peer : found.peers) {
      CPPUNIT_ASSERT(peer.life == (peer.spec.name == "phone" ? life : PeerLife{}));
    }
  }

  void removed_peers_stay_in_their_users_sum() {
    Store store(file_);
    with_alice(store);
    save(store, lives_of(1, 1, 100, store.told()));
    CPPUNIT_ASSERT(kept_.pass(store, {{RemovePeer{"phone"}, ""}}));
    CPPUNIT_ASSERT(stored().users.at(0).life.past == traffic(100));
    // A sum that was read before the peer went does not take it away again.
    Lives earlier;
    earlier.users.push_back({1, {traffic(1), {}}, {}, {}});
    save(store, earlier);
    CPPUNIT_ASSERT(stored().users.at(0).life.past == traffic(100));
  }

  void addresses_of_removed_peers_are_remembered() {
    Store store(file_);
    with_alice(store);
    CPPUNIT_ASSERT(kept_.pass(store, {{RemovePeer{"phone"}, ""}}));
    const auto released = stored().released;
    CPPUNIT_ASSERT_EQUAL(size_t{1}, released.size());
    CPPUNIT_ASSERT(released[0].key == test_key(1));
    CPPUNIT_ASSERT(released[0].address == *dataplane::parse_ip("10.0.0.1"));
    execute("UPDATE released SET at = at - 86500");  // a day goes by
    save(store, lives_of(1, 2, 1, store.told()));
    CPPUNIT_ASSERT(stored().released.empty());
  }

  void a_key_that_comes_again_begins_anew() {
    Store store(file_);
    with_alice(store);
    const uint64_t before = store.told();
    CPPUNIT_ASSERT(kept_.pass(
        store, {{RemovePeer{"phone"}, ""}, {AddPeer{peer("phone", "alice", 1, {})}, ""}}));
    // Read before the peer went: it is the other's.
    save(store, lives_of(1, 1, 100, before));
    CPPUNIT_ASSERT(stored().peers.at(0).life == PeerLife{} ||
                   stored().peers.at(1).life == PeerLife{});
    for (const StoredPeer& peer : stored().peers) CPPUNIT_ASSERT(peer.life == PeerLife{});
    save(store, lives_of(1, 1, 5, store.told()));
    uint64_t packets = 0;
    for (const StoredPeer& peer : stored().peers) packets += peer.life.traffic.rx_packets;
    CPPUNIT_ASSERT_EQUAL(uint64_t{5}, packets);
  }

  /// The file of configuration has other users now: those that stay go on, the others are gone.
  void the_start_writes_what_differs() {
    Store store(file_);
    with_alice(store);
    save(store, lives_of(1, 1, 100, store.told()));
    const Stored before = store.read();
    UserSpec renamed = user("alicia");
    renamed.id = 1;
    const auto phone = peer("phone", "alicia", 1, {"10.0.0.8/32"});
    const std::vector<ChangeEvent> now = {
        UserEvent{nullptr, std::make_shared<const UserSpec>(renamed)},
        PeerEvent{nullptr, std::make_shared<const PeerSpec>(phone)}};
    store.replace(before, now);
    const Stored after = stored();
    CPPUNIT_ASSERT_EQUAL(size_t{1}, after.users.size());
    CPPUNIT_ASSERT_EQUAL(std::string("alicia"), after.users[0].spec.name);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, after.peers.size());
    CPPUNIT_ASSERT(after.peers[0].spec.allowed_ips == phone.allowed_ips);
    CPPUNIT_ASSERT(after.peers[0].life.traffic == traffic(100));
  }

  /// Also when a lap had read the life before, and writes it after.
  void what_is_reset_by_hand_is_on_disk() {
    Store store(file_);
    UserSpec alice = user("alice");
    alice.values[UserField::kQuotaBytes] = 1000;
    CPPUNIT_ASSERT(
        kept_.pass(store, {{AddUser{alice}, ""}, {AddPeer{peer("phone", "alice", 1, {})}, ""}}));
    Lives used = lives_of(1, 1, 5, store.told());
    used.users[0].life.quota = {1'700'000'000, {900, 50}, 80};
    used.users[0].peers[0].second.timestamp = crypto::make_timestamp(1'800'000'000'000'000'000);
    save(store, used);
    CPPUNIT_ASSERT(stored().users.at(0).life.quota == used.users[0].life.quota);
    CPPUNIT_ASSERT(kept_.pass(store, {{ResetQuota{"alice"}, ""}, {ForgetTimestamp{"phone"}, ""}}));
    for (int i = 0; i < 2; ++i) {
      const Stored now = stored();
      CPPUNIT_ASSERT(now.users.at(0).life.quota.used == dataplane::QuotaUse{});
      CPPUNIT_ASSERT(now.peers.at(0).life.timestamp == crypto::Timestamp{});
      save(store, used);
    }
    used.told = store.told();
    save(store, used);
    CPPUNIT_ASSERT(stored().users.at(0).life.quota.used.up == 900);
  }

  void events_are_found_again() {
    using events::Event;
    using events::Kind;
    auto batch = std::make_shared<std::vector<Event>>();
    for (uint64_t i = 0; i < 2500; ++i) {
      Event& event = batch->emplace_back();
      event.kind = Kind::kDisconnected;
      event.user = "alice";
      event.peer = "phone";
      event.number = 100 + i;
      event.unix_ns = static_cast<uint64_t>(std::time(nullptr)) * kNsPerSecond;
      event.fields = {{"reason", std::string_view("removed")}, {"rx_bytes", i}};
    }
    {
      Store store(file_);
      store.save({batch});
    }
    const auto found = stored().events;
    CPPUNIT_ASSERT_EQUAL(size_t{2500}, found.size());
    for (size_t i : {size_t{0}, size_t{2499}}) {
      CPPUNIT_ASSERT_EQUAL(write_json(events::to_json((*batch)[i])),
                           write_json(events::to_json(found[i])));
    }
  }

  void numbers_are_never_given_again() {
    {
      Store store(file_);
      with_alice(store);
      CPPUNIT_ASSERT(kept_.pass(store, {{AddUser{user("bob")}, ""}}));
      CPPUNIT_ASSERT(kept_.pass(store, {{RemoveUser{"bob"}, ""}}));
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, stored().next_user_id);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StoreTest);

}  // namespace
}  // namespace wirelay::ctrl
