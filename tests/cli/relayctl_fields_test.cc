// Protects that relayctl knows every field in the lists: each has an option that sets it, alone,
// and what has a title is shown.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/json.h"
#include "tests/cli/relayctl_fixture.h"
#include "tests/support/field_samples.h"

namespace wirelay::cli {

using namespace ctrl;

class RelayctlFieldsTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(RelayctlFieldsTest);
  CPPUNIT_TEST(every_field_of_a_user_has_its_option);
  CPPUNIT_TEST(every_field_of_a_peer_has_its_option);
  CPPUNIT_TEST_SUITE_END();

  UserValues values_of(const std::string& user) {
    const UserValues values = registry().user(user)->values;
    go_on();
    return values;
  }

  /// "--rate-up 3K"
  static std::string option_for(const UserFieldInfo& field, uint64_t value) {
    if (field.kind.form == ValueForm::kSwitch) {
      return "--" + std::string(value == 0 ? field.off_option : field.option);
    }
    return "--" + std::string(field.option) + ' ' + value_json(value, field.kind).asString();
  }

  Json::Value shown_peer() {
    done("peer show phone --json");
    return parse_json(out_, {});
  }

 public:
  void every_field_of_a_user_has_its_option() {
    const std::string rate = " --quota-rate 64K";  // a quota that throttles has one
    done("user add plain" + rate);
    const UserValues plain = values_of("plain");
    for (size_t i = 0; i < kUserFieldCount; ++i) {
      const auto field = static_cast<UserField>(i);
      UserValues wanted = plain;
      wanted[field] = test::sample_of(info(field));
      const std::string name = "user" + std::to_string(i);
      done("user add " + name + ' ' + option_for(info(field), wanted[field]) +
           (field == UserField::kQuotaRate ? "" : rate));
      CPPUNIT_ASSERT_MESSAGE(std::string(info(field).path), values_of(name) == wanted);
      done("user show " + name);
      if (!info(field).title.empty()) has(out_, std::string(info(field).title) + ": ");
      done("user set " + name + ' ' + option_for(info(field), plain[field]));
      CPPUNIT_ASSERT_MESSAGE(std::string(info(field).path), values_of(name) == plain);
    }
  }

  void every_field_of_a_peer_has_its_option() {
    done("user add alice");
    const auto option = [](const PeerFieldInfo& field) {
      return " --" + std::string(field.option);
    };
    std::string given;
    for (const PeerFieldInfo& field : kPeerFields) {
      if (!field.missing.empty()) given += option(field) + ' ' + test::sample_of(field);
    }
    done("peer add phone --user alice" + given);
    for (const PeerFieldInfo& field : kPeerFields) {
      const std::string name(field.name), sample = test::sample_of(field);
      if (!field.off_option.empty()) done("peer set phone --" + std::string(field.off_option));
      if (field.form == PeerForm::kSecret) {
        CPPUNIT_ASSERT(!shown_peer()["has_" + name].asBool());
        done("peer set phone" + option(field) + " -", sample + "\n");
        CPPUNIT_ASSERT(shown_peer()["has_" + name].asBool());
        done("peer set phone --" + std::string(field.off_option));
        CPPUNIT_ASSERT(!shown_peer()["has_" + name].asBool());
      } else {
        if (!field.off_option.empty()) CPPUNIT_ASSERT(shown_peer()[name].empty());
        if (!field.fixed) done("peer set phone" + option(field) + ' ' + sample);
        const Json::Value shown = shown_peer()[name];
        CPPUNIT_ASSERT_EQUAL(sample, (shown.isArray() ? shown[0] : shown).asString());
      }
      done("peer show phone");
      has(out_, std::string(field.title) + ": ");
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlFieldsTest);

}  // namespace wirelay::cli
