// Protects what a socket for readers lets through: everything that is asked, no change, no key.
#include <cppunit/extensions/HelperMacros.h>

#include "crypto/keys.h"
#include "ctrl/base/json.h"
#include "ctrl/users/registry.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl::api {

class RightsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RightsTest);
  CPPUNIT_TEST(readers_ask_what_they_like);
  CPPUNIT_TEST(readers_change_nothing);
  CPPUNIT_TEST(readers_see_no_keys);
  CPPUNIT_TEST(each_method_is_decided_by_what_it_comes_to);
  CPPUNIT_TEST_SUITE_END();

  test::FakeRelay relay_;

  Json::Value reply(const std::string& method, const std::string& params, Right right) {
    const std::string line =
        R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\",\"params\":" + params + "}";
    return parse_json(relay_.answer(line, {}, right), {.bytes = 1u << 20});
  }
  bool forbidden(const std::string& method, const std::string& params) {
    return reply(method, params, Right::kRead)["error"]["code"].asInt() == kForbidden;
  }

 public:
  void setUp() override {
    const std::string peer = R"({"name":"phone","public_key":")" +
                             crypto::to_base64(test::test_key(1)) + R"(","preshared_key":")" +
                             crypto::to_base64(test::test_key(2)) +
                             R"(","allowed_ips":["10.1.0.1/32"]})";
    reply("user.add", R"({"name":"alice","peers":[)" + peer + "]}", Right::kChange);
    CPPUNIT_ASSERT(relay_.registry().peer("phone") != nullptr);
  }

  void readers_ask_what_they_like() {
    for (const auto& [method, params] : {std::pair{"status.get", "{}"},
                                         {"stats.get", "{}"},
                                         {"drops.get", "{}"},
                                         {"api.methods", "{}"},
                                         {"user.list", "{}"},
                                         {"user.get", R"({"name":"alice"})"},
                                         {"peer.list", "{}"},
                                         {"peer.get", R"({"name":"phone"})"}}) {
      CPPUNIT_ASSERT_MESSAGE(method, reply(method, params, Right::kRead).isMember("result"));
    }
  }

  void readers_change_nothing() {
    for (const auto& [method, params] : {std::pair{"user.add", R"({"name":"bob"})"},
                                         {"user.remove", R"({"name":"alice"})"},
                                         {"user.set", R"({"name":"alice","enabled":false})"},
                                         {"peer.remove", R"({"name":"phone"})"},
                                         {"config.reload", "{}"},
                                         {"config.reload", R"({"dry_run":true})"}}) {
      CPPUNIT_ASSERT_MESSAGE(method, forbidden(method, params));
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, relay_.registry().user_count());
    CPPUNIT_ASSERT(relay_.registry().user("alice")->enabled());
  }

  void readers_see_no_keys() {
    CPPUNIT_ASSERT(forbidden("peer.list", R"({"preshared_keys":true})"));
    CPPUNIT_ASSERT(forbidden("peer.config", R"({"name":"phone"})"));
    CPPUNIT_ASSERT(reply("peer.config", R"({"name":"phone"})", Right::kChange).isMember("result"));
    const std::string secret = crypto::to_base64(test::test_key(2));
    for (const char* method : {"peer.list", "user.list"}) {
      CPPUNIT_ASSERT_EQUAL(std::string::npos,
                           write_json(reply(method, "{}", Right::kRead)).find(secret));
    }
  }

  /// So that a method that is added does not have to be added here.
  void each_method_is_decided_by_what_it_comes_to() {
    const Json::Value methods = reply("api.methods", "{}", Right::kRead)["result"]["methods"];
    for (const Json::Value& method : methods) {
      const std::string name = method["name"].asString();
      const bool changes = name.ends_with(".add") || name.ends_with(".set") ||
                           name.ends_with(".remove") || name.ends_with(".reload");
      const bool reload = name.ends_with(".reload");
      const std::string params = reload ? "{}" : R"({"name":"phone"})";
      const int code = reply(name, params, Right::kRead)["error"]["code"].asInt();
      // A change that is not well-formed may be told so first.
      if (changes) CPPUNIT_ASSERT_MESSAGE(name, code == kForbidden || code == kInvalidParams);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{1}, relay_.registry().user_count());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RightsTest);

}  // namespace wirelay::ctrl::api
