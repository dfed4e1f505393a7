// Protects what a store is for: users and peers are found again as they were, with what they
// carried; what could not be made so is taken back; a file that is not this relay's is left alone.
#include "ctrl/store/store.h"

#include <future>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "ctrl/base/json.h"
#include "ctrl/events/render.h"
#include "ctrl/store/beginning.h"
#include "ctrl/store/schema.h"
#include "tests/ctrl/store/faulty_files.h"
#include "tests/ctrl/store/store_fixture.h"

namespace wirelay::ctrl {

using namespace test;

namespace {

class StoreTest : public CppUnit::TestFixture {
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
  CPPUNIT_TEST(a_full_disk_at_the_start_takes_no_changes);
  CPPUNIT_TEST(an_earlier_store_is_read_without_writing);
  CPPUNIT_TEST(events_are_found_again);
  CPPUNIT_TEST(numbers_are_never_given_again);
  CPPUNIT_TEST(one_relay_each);
  CPPUNIT_TEST(other_files_are_left_alone);
  CPPUNIT_TEST(an_earlier_store_is_brought_up_to_date);
  CPPUNIT_TEST(only_its_owner_reads_it);
  CPPUNIT_TEST(a_check_reads_beside_a_relay);
  CPPUNIT_TEST_SUITE_END();

  const test::TempDir dir_;
  const std::string file_ = dir_.path("relay.db");
  KeptRegistry kept_;

  [[nodiscard]] Stored stored() const { return read_store(file_); }
  void with_alice(Store& store) {
    CPPUNIT_ASSERT(kept_.pass(store, {{AddUser{user("alice")}, ""},
                                      {AddPeer{peer("phone", "alice", 1, {"10.0.0.1/32"})}, ""},
                                      {AddPeer{peer("pad", "alice", 2, {"10.0.0.2/32"})}, ""}}));
  }
  static Lives lives_of(uint64_t user, uint32_t key, uint64_t n, uint64_t told) {
    Lives lives;
    lives.told = told;
    UserLives& of = lives.users.emplace_back();
    of.user = user;
    PeerLife life;
    life.traffic = traffic(n);
    of.peers.emplace_back(test_key(key), life);
    return lives;
  }
  /// Waits until it is written.
  static void save(Store& store, Lives lives) {
    std::promise<void> written;
    store.save(std::move(lives), [&] { written.set_value(); });
    written.get_future().wait();
  }
  static void assert_refused(const std::string& file, const std::string& part) {
    try {
      const Store store(file);
      CPPUNIT_FAIL("was opened: " + file);
    } catch (const StoreError& error) {
      CPPUNIT_ASSERT_MESSAGE(error.what(),
                             std::string(error.what()).find(part) != std::string::npos);
    }
  }
  void execute(const std::string& sql) const {
    Database(file_, Database::Access::kWrite).execute(sql);
  }

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

  /// What a relay has begun with is not written, and nothing else is taken; it serves.
  void a_full_disk_at_the_start_takes_no_changes() {
    {
      Store store(file_);
      with_alice(store);
    }
    FaultyFiles::heal();
    Store store(file_, FaultyFiles::name());
    const Stored before = store.read();
    FaultyFiles::fail_at(0, Fault::kFull);
    store.replace(before, {});
    FaultyFiles::heal();
    CPPUNIT_ASSERT(store.refusal().find("full") != std::string::npos);
    CPPUNIT_ASSERT(!kept_.pass(store, {{AddUser{user("bob")}, ""}}));
    CPPUNIT_ASSERT_EQUAL(size_t{1}, stored().users.size());
  }

  void an_earlier_store_is_read_without_writing() {
    {
      Store store(file_);
      with_alice(store);
    }
    execute("ALTER TABLE users DROP COLUMN max_peers; DROP TABLE events");
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, Database(file_, Database::Access::kRead)
                                         .ask("SELECT COUNT(*) FROM sqlite_schema"
                                              " WHERE name = 'events'"));
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

  void one_relay_each() {
    const Store store(file_);
    assert_refused(file_, "another relay has it");
  }

  void other_files_are_left_alone() {
    dir_.write("text.db", std::string(5000, 'x'));
    assert_refused(dir_.path("text.db"), "file is not a database");
    execute("CREATE TABLE recipes(name TEXT)");
    assert_refused(file_, "is a database, but no store of a relay");
    const std::string later = dir_.path("later.db");
    { const Store store(later); }
    Database(later, Database::Access::kWrite).execute("PRAGMA user_version = 99");
    assert_refused(later, "was written by a later relayd (version 99");
    assert_refused(dir_.path("no/such/folder/relay.db"), "its directory cannot be made");
  }

  /// A program of before did not know a field, and the one before that not even a table.
  void an_earlier_store_is_brought_up_to_date() {
    {
      Store store(file_);
      with_alice(store);
    }
    execute("ALTER TABLE users DROP COLUMN max_peers; DROP TABLE history");
    Store store(file_);
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(store.read()));
    size_t copies = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path(""))) {
      if (entry.path().string().find(".before-") == std::string::npos) continue;
      ++copies;
      struct stat info {};
      CPPUNIT_ASSERT(stat(entry.path().c_str(), &info) == 0 && (info.st_mode & 077) == 0);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, copies);
  }

  void only_its_owner_reads_it() {
    Store store(file_);
    with_alice(store);
    for (const char* part : {"", "-wal", "-shm", ".lock"}) {
      struct stat info {};
      CPPUNIT_ASSERT(stat((file_ + part).c_str(), &info) == 0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(part, 0u, info.st_mode & 077);
    }
  }

  void a_check_reads_beside_a_relay() {
    CPPUNIT_ASSERT(stored().users.empty());
    CPPUNIT_ASSERT(!std::filesystem::exists(file_));
    Store store(file_);
    with_alice(store);
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
    CPPUNIT_ASSERT(kept_.pass(store, {{RemovePeer{"pad"}, ""}}));
    CPPUNIT_ASSERT_EQUAL(contents(kept_.registry), contents(stored()));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StoreTest);

class BeginningTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(BeginningTest);
  CPPUNIT_TEST(users_of_the_file_have_their_numbers_back);
  CPPUNIT_TEST(what_the_store_owns_is_added);
  CPPUNIT_TEST(an_endpoint_that_was_named_since_counts_more);
  CPPUNIT_TEST_SUITE_END();

  static Stored stored(Origin origin) {
    Stored stored;
    for (uint64_t id = 1; id <= 3; ++id) {
      StoredUser& of = stored.users.emplace_back();
      of.spec = user("u" + std::to_string(id));
      of.spec.id = id;
      of.spec.origin = origin;
      StoredPeer& device = stored.peers.emplace_back();
      device.spec = peer("p" + std::to_string(id), of.spec.name, static_cast<uint32_t>(id), {});
      device.spec.origin = origin;
    }
    return stored;
  }

 public:
  /// By name; a new name by the peers' keys, but only of one who is gone.
  void users_of_the_file_have_their_numbers_back() {
    const Beginning beginning("relay.db", stored(Origin::kFile));
    std::vector<UserSpec> users = {user("u1"), user("new"), user("other"), user("u2")};
    const std::vector<PeerSpec> peers = {peer("p3", "new", 3, {}), peer("p1", "other", 1, {}),
                                         peer("p2", "u2", 2, {})};
    beginning.number(users, peers);
    std::vector<uint64_t> ids;
    for (const UserSpec& of : users) ids.push_back(of.id);
    CPPUNIT_ASSERT((ids == std::vector<uint64_t>{1, 3, 0, 2}));
    CPPUNIT_ASSERT(beginning.steps().empty());
  }

  void what_the_store_owns_is_added() {
    const Beginning beginning("relay.db", stored(Origin::kApi));
    std::vector<UserSpec> users = {user("u1")};
    beginning.number(users, {});
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, users[0].id);  // another one, and refused later
    const std::vector<Step> steps = beginning.steps();
    CPPUNIT_ASSERT_EQUAL(size_t{6}, steps.size());
    CPPUNIT_ASSERT_EQUAL(std::string("relay.db: user u1"), steps[0].path);
    CPPUNIT_ASSERT_EQUAL(std::string("relay.db: peer p3"), steps[5].path);
  }

  void an_endpoint_that_was_named_since_counts_more() {
    StoredPeer before;
    before.life.where = Whereabouts{*dataplane::parse_endpoint("203.0.113.9:4000"),
                                    *dataplane::parse_endpoint("198.51.100.1:51820")};
    PeerSpec now = before.spec;
    CPPUNIT_ASSERT(life_from(before, now).where.has_value());
    now.endpoint = dataplane::parse_endpoint("203.0.113.77:51820");
    CPPUNIT_ASSERT(!life_from(before, now).where.has_value());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BeginningTest);

}  // namespace
}  // namespace wirelay::ctrl
