// Protects the identities: what `relaygen peers` writes is what it reads, and what the far end is
// given names the same keys and addresses.
#include "tools/relaygen/peers_file.h"

#include <set>
#include <sstream>

#include <cppunit/extensions/HelperMacros.h>
#include <json/reader.h>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/peers_command.h"

namespace wirelay::relaygen {

namespace {

PeersOptions options(uint32_t count) {
  PeersOptions some;
  some.count = count;
  some.prefixes = {dataplane::parse_prefix("10.64.0.0/10").value(),
                   dataplane::parse_prefix("fd77::/64").value()};
  some.peers_per_user = 3;
  some.preshared = true;
  return some;
}

std::string refusal_of(const std::string& text) {
  std::istringstream in(text);
  try {
    (void)read_peers(in);
  } catch (const Failure& error) {
    return error.what();
  }
  return "";
}

class PeersFileTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PeersFileTest);
  CPPUNIT_TEST(reads_what_it_wrote);
  CPPUNIT_TEST(identities_are_distinct_and_right);
  CPPUNIT_TEST(first_users_with_all_their_peers);
  CPPUNIT_TEST(small_prefixes_are_refused);
  CPPUNIT_TEST(bad_lines_are_named);
  CPPUNIT_TEST(relayctl_file_holds_the_same_peers);
  CPPUNIT_TEST(wg_file_holds_the_same_peers);
  CPPUNIT_TEST_SUITE_END();

  void reads_what_it_wrote() {
    const auto written = make_identities(options(7));
    std::stringstream file;
    write_peers(file, written);
    const auto read = read_peers(file);
    CPPUNIT_ASSERT_EQUAL(written.size(), read.size());
    for (size_t i = 0; i < read.size(); ++i) {
      CPPUNIT_ASSERT_EQUAL(written[i].user, read[i].user);
      CPPUNIT_ASSERT_EQUAL(written[i].name, read[i].name);
      CPPUNIT_ASSERT(written[i].private_key.bytes() == read[i].private_key.bytes());
      CPPUNIT_ASSERT(written[i].public_key == read[i].public_key);
      CPPUNIT_ASSERT(written[i].preshared_key.bytes() == read[i].preshared_key.bytes());
      CPPUNIT_ASSERT(written[i].addresses == read[i].addresses);
    }
  }

  void identities_are_distinct_and_right() {
    const auto peers = make_identities(options(300));
    std::set<std::string> names;
    std::set<dataplane::IpAddr> addresses;
    for (const Identity& peer : peers) {
      names.insert(peer.name);
      addresses.insert(peer.addresses.begin(), peer.addresses.end());
      CPPUNIT_ASSERT(crypto::derive_public_key(peer.private_key) == peer.public_key);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{300}, names.size());
    CPPUNIT_ASSERT_EQUAL(size_t{600}, addresses.size());
    CPPUNIT_ASSERT_EQUAL(std::string("10.64.0.2"), dataplane::to_string(peers[0].addresses[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("10.64.1.45"), dataplane::to_string(peers[299].addresses[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::12d"), dataplane::to_string(peers[299].addresses[1]));
  }

  void first_users_with_all_their_peers() {
    const auto peers = make_identities(options(7));  // users of 3, 3 and 1 peers
    CPPUNIT_ASSERT_EQUAL(uint32_t{3}, count_users(peers));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, peers_of_first_users(peers, 1));
    CPPUNIT_ASSERT_EQUAL(size_t{6}, peers_of_first_users(peers, 2));
    CPPUNIT_ASSERT_EQUAL(size_t{7}, peers_of_first_users(peers, 3));
  }

  void small_prefixes_are_refused() {
    PeersOptions some = options(254);
    some.prefixes = {dataplane::parse_prefix("10.0.0.0/24").value()};
    CPPUNIT_ASSERT_EQUAL(size_t{254}, make_identities(some).size());
    some.count = 255;
    CPPUNIT_ASSERT_THROW(make_identities(some), UsageError);
  }

  void bad_lines_are_named() {
    std::stringstream good;
    write_peers(good, make_identities(options(1)));
    const std::string text = good.str();
    const std::string heading = text.substr(0, text.find('\n') + 1);
    const std::string line = text.substr(heading.size());
    CPPUNIT_ASSERT_EQUAL(std::string(), refusal_of(text));
    CPPUNIT_ASSERT(refusal_of(line).find("line 1") != std::string::npos);
    CPPUNIT_ASSERT(refusal_of(heading).find("no peers") != std::string::npos);
    CPPUNIT_ASSERT(refusal_of(text + "u n key\n").find("line 3") != std::string::npos);
    std::string changed = text;
    changed.replace(changed.find(",fd77"), 5, ",fd7x");
    CPPUNIT_ASSERT(refusal_of(changed).find("fd7x::2") != std::string::npos);
    changed = text;
    changed[changed.find('=')] = '!';
    CPPUNIT_ASSERT(refusal_of(changed).find("private key") != std::string::npos);
  }

  void relayctl_file_holds_the_same_peers() {
    const auto peers = make_identities(options(4));
    std::stringstream file;
    write_relayctl_users(file, peers);
    Json::Value root;
    file >> root;
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{2}, root["users"].size());
    const Json::Value& second = root["users"][1];
    CPPUNIT_ASSERT_EQUAL(std::string("u000001"), second["name"].asString());
    const Json::Value& peer = second["peers"][0];
    CPPUNIT_ASSERT_EQUAL(crypto::to_base64(peers[3].public_key), peer["public_key"].asString());
    CPPUNIT_ASSERT_EQUAL(crypto::to_base64(peers[3].preshared_key.bytes()),
                         peer["preshared_key"].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("10.64.0.5/32"), peer["allowed_ips"][0].asString());
    CPPUNIT_ASSERT_EQUAL(std::string("fd77::5/128"), peer["allowed_ips"][1].asString());
    CPPUNIT_ASSERT(file.str().find(crypto::to_base64(peers[3].private_key.bytes())) ==
                   std::string::npos);
  }

  void wg_file_holds_the_same_peers() {
    const auto peers = make_identities(options(2));
    std::stringstream file;
    write_wg_conf(file, peers, crypto::Secret(), 51820);
    const std::string text = file.str();
    for (const Identity& peer : peers) {
      CPPUNIT_ASSERT(text.find("PublicKey = " + crypto::to_base64(peer.public_key) + '\n') !=
                     std::string::npos);
    }
    CPPUNIT_ASSERT(text.find("AllowedIPs = 10.64.0.3/32,fd77::3/128\n") != std::string::npos);
    CPPUNIT_ASSERT(text.find("ListenPort = 51820\n") != std::string::npos);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PeersFileTest);

}  // namespace

}  // namespace wirelay::relaygen
