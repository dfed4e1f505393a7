// Protects: that an event tells who changed what, before and after, that no secret is in it, and
// that however large a request is, its events are few and small.
#include "ctrl/events/change_events.h"

#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "ctrl/events/render.h"

namespace wirelay::test {

using namespace ctrl;
using events::change_events;

class ChangeEventsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ChangeEventsTest);
  CPPUNIT_TEST(who_and_what);
  CPPUNIT_TEST(only_what_differs);
  CPPUNIT_TEST(a_quota_that_is_reset);
  CPPUNIT_TEST(no_secret_is_shown);
  CPPUNIT_TEST(large_requests_are_summed_up);
  CPPUNIT_TEST(long_lists_are_cut);
  CPPUNIT_TEST(kinds_have_only_the_fields_that_they_list);
  CPPUNIT_TEST(times_are_utc);
  CPPUNIT_TEST_SUITE_END();

 public:
  void who_and_what() {
    ChangeOutcome outcome;
    outcome.changes = {UserEvent{nullptr, user("alice", 0)}};
    outcome.counts.users_added = 1;
    const Json::Value event = only(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("change"), event["kind"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), event["user"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("added"), event["change"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("user.add"), event["request"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("api"), event["origin"].asString());
    CPPUNIT_ASSERT_EQUAL(1000u, event["uid"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1001u, event["gid"].asUInt());
    CPPUNIT_ASSERT_EQUAL(1002u, event["pid"].asUInt());
    CPPUNIT_ASSERT(event["after"]["enabled"].asBool());
    CPPUNIT_ASSERT(!event.isMember("before"));
  }

  void only_what_differs() {
    ChangeOutcome outcome;
    outcome.changes = {UserEvent{user("alice", 0), user("alice", 20'000'000)}};
    outcome.counts.users_changed = 1;
    const Json::Value event = only(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("changed"), event["change"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("[\"limits\"]"), members(event["after"]));
    CPPUNIT_ASSERT_EQUAL(std::string("[\"up\"]"), members(event["after"]["limits"]));
    CPPUNIT_ASSERT_EQUAL(std::string("20M"), event["after"]["limits"]["up"]["rate"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("unlimited"),
                         event["before"]["limits"]["up"]["rate"].asString());
  }

  void a_quota_that_is_reset() {
    ChangeOutcome outcome;
    outcome.changes = {UserEvent{user("alice", 0), user("alice", 0), true}};
    outcome.counts.users_changed = 1;
    const Json::Value event = only(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("[\"quota\"]"), members(event["after"]));
    CPPUNIT_ASSERT_EQUAL(std::string("reset"), event["after"]["quota"].asString());
  }

  void no_secret_is_shown() {
    ChangeOutcome outcome;
    const crypto::Bytes32 key{1, 2, 3}, other{4, 5, 6};
    outcome.changes = {PeerEvent{nullptr, peer(1, key)}, PeerEvent{peer(1, key), peer(1, other)}};
    outcome.counts = {.peers_added = 1, .peers_changed = 1};
    const auto told = change_events(asker(), outcome);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, told.size());
    for (const auto& event : told) {
      const std::string line = write_json(events::to_json(event));
      for (const auto& secret : {key, other}) {
        CPPUNIT_ASSERT(line.find(crypto::to_base64(secret)) == std::string::npos);
      }
    }
    const Json::Value changed = events::to_json(told[1]);
    CPPUNIT_ASSERT_EQUAL(std::string("another"), changed["after"]["preshared_key"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("phone"), changed["peer"].asString());
  }

  void large_requests_are_summed_up() {
    std::vector<ChangeEvent> all;
    for (int i = 0; i < 5000; ++i) all.push_back(UserEvent{nullptr, user(std::to_string(i), 0)});
    ChangeOutcome outcome;
    outcome.changes = first_changes(all);
    outcome.counts = count(all);
    const auto told = change_events(asker(), outcome);
    CPPUNIT_ASSERT_EQUAL(kMostChangesTold + 1, told.size());
    CPPUNIT_ASSERT_EQUAL(5000 - static_cast<unsigned>(kMostChangesTold),
                         events::to_json(told.back())["more"].asUInt());
  }

  void long_lists_are_cut() {
    ChangeOutcome outcome;
    outcome.changes = {PeerEvent{peer(1), peer(kMostAllowedIps)}};
    outcome.counts.peers_changed = 1;
    const Json::Value event = only(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("4096 entries"), event["after"]["allowed_ips"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("10.0.0.0/32"), event["before"]["allowed_ips"][0].asString());
  }

  void kinds_have_only_the_fields_that_they_list() {
    ChangeOutcome outcome;
    outcome.changes = {UserEvent{user("alice", 0), user("alice", 1'000'000)}};
    outcome.counts.users_changed = 2;
    for (const auto& event : change_events(asker(), outcome)) {
      const std::string list = ' ' + std::string(events::info(event.kind).fields) + ',';
      for (const auto& field : event.fields) {
        CPPUNIT_ASSERT(list.find(' ' + std::string(field.name) + ',') != std::string::npos);
      }
    }
  }

  void times_are_utc() {
    CPPUNIT_ASSERT_EQUAL(std::string("2023-11-14T22:13:20.042Z"),
                         events::time_text(1'700'000'000'042'000'000));
  }

 private:
  static events::Asker asker() {
    return {Origin::kApi, Caller{.uid = 1000, .gid = 1001, .pid = 1002}, "user.add"};
  }

  static Json::Value only(const ChangeOutcome& outcome) {
    const auto told = change_events(asker(), outcome);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, told.size());
    return events::to_json(told.front());
  }

  static std::string members(const Json::Value& object) {
    Json::Value names(Json::arrayValue);
    for (const std::string& name : object.getMemberNames()) names.append(name);
    return write_json(names);
  }

  static UserPtr user(const std::string& name, uint64_t up_bits) {
    UserSpec spec;
    spec.name = name;
    spec.values[UserField::kUpRate] = up_bits;
    return std::make_shared<const UserSpec>(std::move(spec));
  }

  static PeerPtr peer(size_t addresses, std::optional<crypto::Bytes32> secret = std::nullopt) {
    PeerSpec spec;
    spec.name = "phone";
    spec.user = "alice";
    if (secret) spec.preshared_key = crypto::Secret(*secret);
    for (size_t i = 0; i < addresses; ++i) {
      const uint8_t bytes[4] = {10, 0, static_cast<uint8_t>(i >> 8), static_cast<uint8_t>(i)};
      spec.allowed_ips.push_back({dataplane::IpAddr::v4(bytes), 128});
    }
    return std::make_shared<const PeerSpec>(std::move(spec));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ChangeEventsTest);

}  // namespace wirelay::test
