// Protects the one text form of users, peers and rates: what is written reads back as the same,
// what is wrong is named with its path, a preshared key never appears in a message.
#include "ctrl/users/spec_json.h"

#include <random>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/base/field_kind.h"
#include "ctrl/base/json.h"
#include "ctrl/base/rate.h"

namespace wirelay::ctrl {

namespace {

const std::string kSpecKey = crypto::to_base64(crypto::Bytes32{1, 2, 3});

Json::Value parsed(const std::string& text) { return parse_json(text, {}); }

struct Read {
  std::vector<Step> steps;
  std::vector<Problem> problems;
};

Read read_by(void (*reader)(const Json::Value&, const Place&, std::vector<Step>&,
                            std::vector<Problem>&),
             const Json::Value& value) {
  Read result;
  reader(value, "at", result.steps, result.problems);
  return result;
}

void assert_problem(const Read& read, const std::string& path, const std::string& part) {
  CPPUNIT_ASSERT_EQUAL(size_t{1}, read.problems.size());
  CPPUNIT_ASSERT_EQUAL(path, read.problems[0].path);
  CPPUNIT_ASSERT_MESSAGE(read.problems[0].message,
                         read.problems[0].message.find(part) != std::string::npos);
}

class SpecJsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SpecJsonTest);
  CPPUNIT_TEST(scaled_numbers);
  CPPUNIT_TEST(scaled_text_reads_back);
  CPPUNIT_TEST(rates_are_bounded);
  CPPUNIT_TEST(user_with_peers);
  CPPUNIT_TEST(specs_read_back);
  CPPUNIT_TEST(problems_are_named);
  CPPUNIT_TEST(preshared_key_stays_secret);
  CPPUNIT_TEST(changes_name_only_what_changes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void scaled_numbers() {
    CPPUNIT_ASSERT(parse_scaled("20M") == 20'000'000);
    CPPUNIT_ASSERT(parse_scaled("1.5G") == 1'500'000'000);
    CPPUNIT_ASSERT(parse_scaled("64k") == 64'000);
    CPPUNIT_ASSERT(parse_scaled("0.5T") == 500'000'000'000);
    CPPUNIT_ASSERT(parse_scaled("7") == 7);
    CPPUNIT_ASSERT(parse_scaled("2.0") == 2);
    for (const char* text : {"", "M", "1.", ".5M", "-1", "1e6", "20 M", "20MB", "1.2345K", "0.1",
                             "99999999999999999999", "9999999999G", "1.5.2M", "0x10", "+5"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !parse_scaled(text));
    }
  }

  void scaled_text_reads_back() {
    CPPUNIT_ASSERT_EQUAL(std::string("1.5G"), scaled_text(1'500'000'000));
    CPPUNIT_ASSERT_EQUAL(std::string("1.025K"), scaled_text(1'025));
    CPPUNIT_ASSERT_EQUAL(std::string("999"), scaled_text(999));
    CPPUNIT_ASSERT_EQUAL(std::string("1000.001M"), scaled_text(1'000'001'000).substr(0, 9));
    std::mt19937_64 random(7);
    for (int i = 0; i < 10'000; ++i) {
      const uint64_t value = random() >> (1 + random() % 62);
      CPPUNIT_ASSERT(parse_scaled(scaled_text(value)) == value);
    }
  }

  void rates_are_bounded() {
    std::string message;
    CPPUNIT_ASSERT(parse_value("unlimited", kBitRate, message) == 0);
    CPPUNIT_ASSERT(parse_value("default", kBurst, message) == 0);
    CPPUNIT_ASSERT(parse_value(20'000'000, kBitRate, message) == 20'000'000);
    CPPUNIT_ASSERT(!parse_value(0, kBitRate, message));
    CPPUNIT_ASSERT_EQUAL(std::string("found 0, expected bits a second from 1K to 1T such as "
                                     "\"20M\", or \"unlimited\""),
                         message);
    for (const Json::Value& bad :
         {Json::Value("0"), Json::Value("999"), Json::Value("2T"), Json::Value(-5),
          Json::Value(true), Json::Value(Json::arrayValue), Json::Value(), Json::Value(1e30),
          Json::Value("default")}) {
      CPPUNIT_ASSERT(!parse_value(bad, kBitRate, message));
    }
  }

  void user_with_peers() {
    const Read result = read_by(
        read_user, parsed(R"({"name": "alice", "limits": {"up": {"rate": "20M", "packets": 10000},
                 "down": {"rate": "unlimited", "burst": "256K"}}, "max_peers": 3, "enabled": false,
                 "peers": [{"name": "phone", "public_key": ")" +
                          kSpecKey + R"(", "allowed_ips": ["10.77.0.2/32", "fd77::2"],
                 "endpoint": "[2001:db8::7]:51820", "persistent_keepalive": 25}]})"));
    CPPUNIT_ASSERT(result.problems.empty());
    CPPUNIT_ASSERT_EQUAL(size_t{2}, result.steps.size());
    const auto& user = std::get<AddUser>(result.steps[0].change).spec;
    CPPUNIT_ASSERT_EQUAL(uint64_t{20'000'000}, user.limits().up.bits_per_second);
    CPPUNIT_ASSERT_EQUAL(uint64_t{10'000}, user.limits().up.packets_per_second);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, user.limits().down.bits_per_second);
    CPPUNIT_ASSERT_EQUAL(uint64_t{256'000}, user.limits().down.burst_bytes);
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, user.max_peers());
    CPPUNIT_ASSERT(!user.enabled());
    const auto& peer = std::get<AddPeer>(result.steps[1].change).spec;
    CPPUNIT_ASSERT_EQUAL(std::string("at.peers[0]"), result.steps[1].path);
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), peer.user);
    CPPUNIT_ASSERT_EQUAL(size_t{2}, peer.allowed_ips.size());
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, peer.persistent_keepalive);
    CPPUNIT_ASSERT_EQUAL(std::string("[2001:db8::7]:51820"), to_string(*peer.endpoint));
  }

  void specs_read_back() {
    UserSpec user;
    user.name = "bob";
    user.values[UserField::kUpRate] = 1'234'567;
    user.values[UserField::kDownBurst] = 100'000;
    const Read users = read_by(read_user, to_json(user));
    CPPUNIT_ASSERT(users.problems.empty());
    const auto& user_again = std::get<AddUser>(users.steps[0].change).spec;
    CPPUNIT_ASSERT(user_again.values == user.values);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, user_again.max_peers());
    CPPUNIT_ASSERT(user_again.enabled());

    PeerSpec peer;
    peer.name = "tablet";
    peer.user = "bob";
    peer.public_key = crypto::Bytes32{9};
    peer.preshared_key = crypto::Secret(crypto::Bytes32{5});
    peer.allowed_ips = {*dataplane::parse_prefix("10.0.0.0/24"),
                        *dataplane::parse_prefix("fd00::/64")};
    peer.persistent_keepalive = 65535;
    const Read peers = read_by(read_peer, to_json(peer, PresharedKey::kShow));
    CPPUNIT_ASSERT(peers.problems.empty());
    const auto& peer_again = std::get<AddPeer>(peers.steps[0].change).spec;
    CPPUNIT_ASSERT(peer_again.public_key == peer.public_key);
    CPPUNIT_ASSERT(peer_again.preshared_key->bytes() == peer.preshared_key->bytes());
    CPPUNIT_ASSERT(peer_again.allowed_ips == peer.allowed_ips);
    CPPUNIT_ASSERT(!peer_again.endpoint);
    CPPUNIT_ASSERT_EQUAL(peer.user, peer_again.user);
    CPPUNIT_ASSERT(!to_json(peer, PresharedKey::kHide).isMember("preshared_key"));
  }

  void problems_are_named() {
    assert_problem(read_by(read_user, parsed("{}")), "at.name", "missing");
    assert_problem(read_by(read_user, parsed(R"({"name": "a", "limits": {"up": {"rate": 0}}})")),
                   "at.limits.up.rate", "found 0, expected bits a second");
    assert_problem(read_by(read_user, parsed(R"({"name": "a", "max_peers": 0})")), "at.max_peers",
                   "whole number from 1");
    assert_problem(read_by(read_user, parsed(R"({"name": "a", "rate": 5})")), "at.rate",
                   "unknown field");
    assert_problem(read_by(read_user, parsed(R"({"name": "a", "limits": {"upp": {}}})")),
                   "at.limits.upp", "did you mean \"up\"");
    const std::string peer = R"({"name": "p", "user": "a", "allowed_ips": ["10.0.0.1"], )";
    assert_problem(read_by(read_peer, parsed(peer + R"("public_key": "AAAA"})")), "at.public_key",
                   "found \"AAAA\", expected a key of 32 bytes");
    assert_problem(read_by(read_peer, parsed(peer + R"("public_key": ")" + kSpecKey +
                                             R"(", "endpoint": "vpn.example.net:51820"})")),
                   "at.endpoint", "expected an address and a port");
    assert_problem(
        read_by(read_peer, parsed(R"({"name": "p", "user": "a", "public_key": ")" + kSpecKey +
                                  R"(", "allowed_ips": ["10.0.0.1", "10.0.0.0/33"]})")),
        "at.allowed_ips[1]", "expected a prefix");
  }

  void preshared_key_stays_secret() {
    const std::string almost = "b3VyIHNlY3JldCBrZXkgd2l0aCBhIHR5cG8gaW4gaXQ";
    const Read result =
        read_by(read_peer, parsed(R"({"name": "p", "user": "a", "allowed_ips": ["10.0.0.1"],
                                 "public_key": ")" +
                                  kSpecKey + R"(", "preshared_key": ")" + almost + "\"}"));
    assert_problem(result, "at.preshared_key", "found 43 characters");
    CPPUNIT_ASSERT(result.problems[0].message.find(almost) == std::string::npos);
  }

  void changes_name_only_what_changes() {
    const Read users = read_by(
        read_user_change, parsed(R"({"name": "a", "limits": {"down": {"rate": "unlimited"}}})"));
    CPPUNIT_ASSERT(users.problems.empty());
    const auto& user = std::get<SetUser>(users.steps[0].change).change;
    CPPUNIT_ASSERT_EQUAL(size_t{1}, user.named.count());
    CPPUNIT_ASSERT(user.named[static_cast<size_t>(UserField::kDownRate)]);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, user.to[UserField::kDownRate]);

    const Read peers = read_by(read_peer_change, parsed(R"({"name": "p", "preshared_key": ""})"));
    CPPUNIT_ASSERT(peers.problems.empty());
    const auto& peer = std::get<SetPeer>(peers.steps[0].change).change;
    CPPUNIT_ASSERT_EQUAL(size_t{1}, peer.named.count());
    CPPUNIT_ASSERT(peer.named[static_cast<size_t>(PeerField::kPresharedKey)]);
    CPPUNIT_ASSERT(!peer.to.preshared_key);
    assert_problem(read_by(read_peer_change, parsed(R"({"name": "p", "public_key": "x"})")),
                   "at.public_key", "unknown field");
    const Read moved = read_by(read_peer_change, parsed(R"({"name": "p", "endpoint": ""})"));
    CPPUNIT_ASSERT(moved.problems.empty());
    CPPUNIT_ASSERT(std::get<SetPeer>(moved.steps[0].change).change.to.endpoint ==
                   dataplane::Endpoint{});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpecJsonTest);

}  // namespace
}  // namespace wirelay::ctrl
