// Protects that a field is described once: whatever stands in the lists of fields is read, written,
// changed, and found by the difference of a reload, without a line of code of its own.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/users/registry.h"
#include "ctrl/users/spec_json.h"
#include "tests/ctrl/users/registry_specs.h"
#include "tests/support/field_samples.h"

namespace wirelay::ctrl {

namespace {

using namespace test;

using Reader = void (*)(const Json::Value&, const Place&, std::vector<Step>&,
                        std::vector<Problem>&);

Change read(Reader reader, const Json::Value& value) {
  std::vector<Step> steps;
  std::vector<Problem> problems;
  reader(value, "at", steps, problems);
  if (!problems.empty()) CPPUNIT_FAIL(problems[0].path + ": " + problems[0].message);
  return steps.at(0).change;
}

Json::Value json_of(const PeerFieldInfo& field) {
  const std::string text = sample_of(field);
  if (field.form == PeerForm::kSeconds) return std::stoi(text);
  if (field.form != PeerForm::kPrefixes) return text;
  Json::Value list(Json::arrayValue);
  list.append(text);
  return list;
}

class FieldsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FieldsTest);
  CPPUNIT_TEST(every_field_of_a_user);
  CPPUNIT_TEST(every_field_of_a_peer);
  CPPUNIT_TEST(an_object_may_have_any_number_of_fields);
  CPPUNIT_TEST_SUITE_END();

  RecordingObserver observer_;
  Registry registry_{{4, 6, 20}};

  void apply_all(std::vector<Step> steps) {
    test::pass(registry_, observer_, std::move(steps), Origin::kFile);
  }
  void apply(Change change) { apply_all({{std::move(change), "at"}}); }
  Change only_difference(const std::vector<UserSpec>& users, const std::vector<PeerSpec>& peers) {
    const auto steps = registry_.difference(users, peers, true);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, steps.size());
    return steps[0].change;
  }

 public:
  void every_field_of_a_user() {
    UserSpec plain = user("alice");
    plain.values[UserField::kQuotaRate] = 64'000;  // a quota that throttles has one
    apply(AddUser{plain});
    for (size_t i = 0; i < kUserFieldCount; ++i) {
      const auto field = static_cast<UserField>(i);
      Json::Value json;
      json["name"] = "alice";
      at_path(json, info(field).path) = value_json(sample_of(info(field)), info(field).kind);

      Json::Value whole = to_json(plain);
      at_path(whole, info(field).path) = find_at(json, info(field).path);
      const auto added = std::get<AddUser>(read(read_user, whole)).spec;
      UserSpec wanted = plain;
      wanted.values[field] = sample_of(info(field));
      CPPUNIT_ASSERT_MESSAGE(std::string(info(field).path), added.values == wanted.values);
      CPPUNIT_ASSERT(find_at(to_json(added), info(field).path) == find_at(json, info(field).path));
      CPPUNIT_ASSERT(std::get<AddUser>(read(read_user, to_json(added))).spec.values ==
                     wanted.values);

      const auto found = std::get<SetUser>(only_difference({wanted}, {})).change;
      const auto change = std::get<SetUser>(read(read_user_change, json)).change;
      for (const UserChange& one : {found, change}) {
        CPPUNIT_ASSERT_EQUAL(size_t{1}, one.named.count());
        CPPUNIT_ASSERT(one.named[i]);
      }
      apply(SetUser{change});
      CPPUNIT_ASSERT(registry_.user("alice")->values == wanted.values);
      apply(only_difference({plain}, {}));
    }
  }

  void every_field_of_a_peer() {
    const UserSpec owner = user("alice");
    const PeerSpec plain = peer("phone", "alice", 1, {"10.0.0.1/32"});
    apply(AddUser{owner});
    apply(AddPeer{plain});
    const Json::Value before = to_json(plain, PresharedKey::kShow);
    for (size_t i = 0; i < kPeerFieldCount; ++i) {
      const PeerFieldInfo& about = kPeerFields[i];
      Json::Value json;
      json["name"] = "phone";
      at_path(json, about.name) = json_of(about);
      Json::Value whole = before;
      at_path(whole, about.name) = json_of(about);
      const auto added = std::get<AddPeer>(read(read_peer, whole)).spec;
      CPPUNIT_ASSERT_EQUAL(write_json(whole), write_json(to_json(added, PresharedKey::kShow)));
      CPPUNIT_ASSERT_EQUAL(about.form != PeerForm::kSecret,
                           to_json(added, PresharedKey::kHide).isMember(std::string(about.name)));
      if (about.fixed) continue;

      CPPUNIT_ASSERT(std::get<SetPeer>(read(read_peer_change, json)).change.named == 1u << i);
      const auto steps = registry_.difference(std::vector{owner}, std::vector{added}, true);
      CPPUNIT_ASSERT(std::get<SetPeer>(steps.back().change).change.named == 1u << i);
      apply_all(steps);
      CPPUNIT_ASSERT_EQUAL(write_json(whole),
                           write_json(to_json(*registry_.peer("phone"), PresharedKey::kShow)));
      apply_all(registry_.difference(std::vector{owner}, std::vector{plain}, true));
      CPPUNIT_ASSERT_EQUAL(write_json(before),
                           write_json(to_json(*registry_.peer("phone"), PresharedKey::kShow)));
    }
  }

  void an_object_may_have_any_number_of_fields() {
    Json::Value object;
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i) names.push_back("field" + std::to_string(i));
    for (const std::string& name : names) object[name] = 1;
    std::vector<Problem> problems;
    ObjectReader reader(object, "", problems);
    for (const std::string& name : names) CPPUNIT_ASSERT(reader.number(name, 1, 1));
    reader.finish();
    CPPUNIT_ASSERT(problems.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FieldsTest);

}  // namespace
}  // namespace wirelay::ctrl
