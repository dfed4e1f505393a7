// Protects the way of clients from another server to a relay: files as people have them, names that
// fit, and nothing that is misread in silence.
#include <algorithm>
#include <chrono>
#include <fstream>

#include <cppunit/extensions/HelperMacros.h>
#include <fmt/format.h>

#include "cli/errors.h"
#include "cli/import/users.h"
#include "cli/import/wg_conf.h"
#include "cli/import/wg_easy.h"
#include "crypto/keys.h"
#include "ctrl/base/json.h"
#include "tests/cli/relayctl_fixture.h"

namespace wirelay::cli {

namespace {

/// A key that depends on `seed` alone.
std::string key(unsigned seed) { return crypto::to_base64(test::test_key(seed)); }

std::string peer(unsigned seed, const std::string& above = "", const std::string& inside = "") {
  return fmt::format("{}[Peer]\n{}PublicKey = {}\nAllowedIPs = 10.0.{}.{}/32\n\n", above, inside,
                     key(seed), seed / 256, seed % 256);
}

std::string names_in(const std::string& text) {
  std::string names;
  for (const ImportedPeer& peer : read_wg_conf(text).peers) names += peer.name + '|';
  return names;
}

}  // namespace

class ImportTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(ImportTest);
  CPPUNIT_TEST(what_wg_quick_takes);
  CPPUNIT_TEST(names_are_comments);
  CPPUNIT_TEST(mistakes_are_told_by_line);
  CPPUNIT_TEST(wg_easy);
  CPPUNIT_TEST(names_that_fit);
  CPPUNIT_TEST(clients_are_added);
  CPPUNIT_TEST(a_dry_run_needs_no_relay);
  CPPUNIT_TEST(ten_thousand);
  CPPUNIT_TEST_SUITE_END();

 public:
  void what_wg_quick_takes() {
    const ImportedServer server = read_wg_conf(
        "\xef\xbb\xbf# a server\r\n\r\n[INTERFACE]\r\nprivatekey=" + key(1) +
        "\r\n  ListenPort = 443 # not the usual one\r\nAddress = 10.0.0.1/24, fd00::1/64\r\n"
        "Address = 10.9.0.1/24\r\nDNS = 9.9.9.9,example.net\r\nPostUp = iptables -A x -j y; "
        "echo a=b\r\nMTU = 1400\r\n\r\n[peer]\r\nPublicKey = " +
        key(2) + "\r\nPresharedKey=" + key(3) +
        "\r\nAllowedIPs = 10.0.0.2/32,fd00::2/128,\r\nallowedips = 10.1.0.0/16\r\n"
        "Endpoint = 198.51.100.7:51820\r\nPersistentKeepalive = 25\r\n[Peer]\r\nPublicKey = " +
        key(4) +
        "\r\nEndpoint = [2001:db8::7]:51820\r\nPersistentKeepalive = off\r\n[Peer]\nPublicKey=" +
        key(5) + "\nEndpoint = home.example.net:51820");
    CPPUNIT_ASSERT_EQUAL(key(1), server.private_key);
    CPPUNIT_ASSERT_EQUAL(uint16_t{443}, *server.port);
    CPPUNIT_ASSERT(server.addresses ==
                   std::vector<std::string>({"10.0.0.1", "fd00::1", "10.9.0.1"}));
    CPPUNIT_ASSERT(server.dns == std::vector<std::string>({"9.9.9.9", "example.net"}));
    CPPUNIT_ASSERT(server.left_out ==
                   std::vector<std::string>({"line 9: postup", "line 10: mtu",
                                             "line 25: endpoint, which is no address"}));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, server.peers.size());
    const ImportedPeer& first = server.peers[0];
    CPPUNIT_ASSERT_EQUAL(key(2) + key(3), first.public_key + first.preshared_key);
    CPPUNIT_ASSERT(first.allowed_ips ==
                   std::vector<std::string>({"10.0.0.2/32", "fd00::2/128", "10.1.0.0/16"}));
    CPPUNIT_ASSERT_EQUAL(std::string("198.51.100.7:51820"), first.endpoint);
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, first.keepalive);
    CPPUNIT_ASSERT_EQUAL(std::string("[2001:db8::7]:51820"), server.peers[1].endpoint);
    CPPUNIT_ASSERT_EQUAL(uint16_t{0}, server.peers[1].keepalive);
    CPPUNIT_ASSERT_EQUAL(std::string(), server.peers[2].endpoint);
  }

  void names_are_comments() {
    CPPUNIT_ASSERT_EQUAL(std::string("alice phone|bob|carol||"),
                         names_in("# a server\n[Interface]\n" + peer(1, "# alice phone\n") +
                                  peer(2, "", "# bob\n") + peer(3, "#carol\n\n") + peer(4)));
    // As tools write them.
    CPPUNIT_ASSERT_EQUAL(
        std::string("alice|bob|carol|dora|eve|"),
        names_in(peer(1, "### Client alice\n") + peer(2, "# BEGIN_PEER bob\n") +
                 "# END_PEER bob\n" + peer(3, "# Client: carol\n") +
                 peer(4, "", "# friendly_name = dora\n") + peer(5, "", "# Name = eve\n")));
    // What was switched off, and what is about a setting, is no name.
    CPPUNIT_ASSERT_EQUAL(std::string("alice|||zoe|"),
                         names_in(peer(1, "# alice\n", "# PersistentKeepalive = 25\n") +
                                  peer(2, "#[Peer]\n#PublicKey = x\n") + "[Peer]\nPublicKey = " +
                                  key(3) + " # a phone\n[Peer] # zoe\nPublicKey = " + key(4)));
  }

  void mistakes_are_told_by_line() {
    const auto refused = [](const std::string& text, const std::string& expected) {
      try {
        read_wg_conf(text);
        CPPUNIT_FAIL("taken: " + text);
      } catch (const Failure& failure) {
        CPPUNIT_ASSERT_EQUAL(expected, std::string(failure.what()).substr(0, expected.size()));
        CPPUNIT_ASSERT(std::string(failure.what()).find("secret") == std::string::npos);
      }
    };
    refused("PublicKey = x", "line 1: a setting in front of the first section");
    refused("\n[Server]\n", "line 2: expected [Interface] or [Peer]");
    refused("[Peer]\n\nAllowedIPs = 10.0.0.1\n", "line 1: a [Peer] without PublicKey");
    refused("[Peer]\nPublicKey = secret\n", "line 2: expected a key of 32 bytes");
    refused("[Interface]\nPrivateKey = secret\n", "line 2: expected a key of 32 bytes");
    refused("[Interface]\nListenPort = 65536\n", "line 2: expected a whole number from 0 to 65535");
    refused("[Peer]\nPublicKee = secret\n", "line 2: no key of [Peer] that wg-quick knows");
    refused("[Interface]\nsecret\n", "line 2: expected \"Key = value\" or a section");
    refused(peer(1) + peer(2) + peer(1), "line 9: a [Peer] with the PublicKey of line 1 once more");
  }

  void wg_easy() {
    const ImportedServer server = read_wg_easy(R"({"server": {"privateKey": ")" + key(1) +
                                               R"(", "publicKey": "x", "address": "10.8.0.1"},
            "clients": {"3b2f": {"id": "3b2f", "name": "Alice's phone", "address": "10.8.0.2",
              "privateKey": ")" + key(9) + R"(", "publicKey": ")" +
                                               key(2) + R"(", "preSharedKey": ")" + key(3) +
                                               R"(", "createdAt": "2024-01-01T00:00:00.000Z",
              "enabled": true},
              "77aa": {"name": "bob", "address": "10.8.0.3", "publicKey": ")" +
                                               key(4) + R"(", "enabled": false}}})");
    CPPUNIT_ASSERT_EQUAL(key(1), server.private_key);
    CPPUNIT_ASSERT(!server.port);
    CPPUNIT_ASSERT_EQUAL(size_t{1}, server.left_out.size());
    const Json::Value users = users_of(server);
    CPPUNIT_ASSERT_EQUAL(
        R"({"name":"Alice-s-phone","peers":[{"allowed_ips":["10.8.0.2"],"name":"Alice-s-phone",)"
        R"("preshared_key":")" +
            key(3) + R"(","public_key":")" + key(2) + "\"}]}",
        ctrl::write_json(users[0]));
    CPPUNIT_ASSERT(!users[1]["enabled"].asBool());
    for (const char* wrong :
         {"[]", "{}", R"({"clients": []})", R"({"clients": {"a": 1}})", "{\"clients\": {",
          R"({"clients": {"a": {"name": "b", "publicKey": "secret"}}})"}) {
      try {
        read_wg_easy(wrong);
        CPPUNIT_FAIL(wrong);
      } catch (const Failure& failure) {
        CPPUNIT_ASSERT(std::string(failure.what()).find("secret") == std::string::npos);
      }
    }
  }

  void names_that_fit() {
    ImportedServer server;
    const auto add = [&](const std::string& name, bool enabled = true) {
      ImportedPeer one;
      one.name = name;
      one.public_key = key(static_cast<unsigned>(server.peers.size()));
      one.enabled = enabled;
      server.peers.push_back(one);
    };
    for (const char* name : {"alice", "alice", "alice-2", " J\xc3\xbcrgen/M. ", "...", "alice"})
      add(name);
    add("alice", false);
    add("");
    add(std::string(300, 'x'));
    std::string text;
    for (const Json::Value& user : users_of(server)) {
      text += user["name"].asString() + ':';
      for (const Json::Value& one : user["peers"]) text += one["name"].asString() + ' ';
    }
    CPPUNIT_ASSERT_EQUAL(
        "alice:alice alice-2 alice-3 alice-2:alice-2-2 J-rgen-M.:J-rgen-M. "
        "...:... alice-3:alice-4 peer-BwAAAFpa:peer-BwAAAFpa " +
            std::string(56, 'x') + ':' + std::string(56, 'x') + ' ',
        text);
  }

  void clients_are_added() {
    const std::string file = write(
        "[Interface]\nPrivateKey = " + key(100) + "\nListenPort = 51821\nAddress = 10.0.0.1/24\n" +
        peer(1, "# alice\n") + peer(2, "# bob\n") + peer(3, "# alice\n"));
    const std::string key_file = lab_->folder / "server.key";
    done("import " + file + " --key-output " + key_file);
    has(out_, "added 2 users, 3 peers");
    has(err_, "\"udp_port\" : 51821");
    has(err_, "the relay has another key");
    CPPUNIT_ASSERT_EQUAL(key(100) + '\n', test::text_of(key_file));
    // Another's key stays, and who only looks writes nothing.
    const std::string other = write(key(101) + '\n');
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("import " + file + " --key-output " + other));
    has(err_, "holds another key");
    CPPUNIT_ASSERT_EQUAL(int{kUsage},
                         relayctl("import " + file + " --dry-run --key-output " + key_file));
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), registry().peer("alice-2")->user);
    CPPUNIT_ASSERT_EQUAL(key(3), crypto::to_base64(registry().peer("alice-2")->public_key));
    go_on();
    // Once more: nothing is added, and who is in the way is named.
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("import " + file));
    has(err_, "there is a user \"alice\" already");
    // As a users_file.
    const std::string users = lab_->folder / "users.json";
    done("import " + file + " --output " + users);
    has(test::text_of(users), "{\"users\": [\n{\"name\":\"alice\",");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("import " + write("[Interface]\n")));
    has(err_, "there is no client in it");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("import " + write("[Interface]\nx = 1\n")));
    has(err_, "line 2: no key of [Interface]");
  }

  void a_dry_run_needs_no_relay() {
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"import", "-", "--dry-run", "--socket", "/none"},
                                               peer(1, "# alice\n")));
    has(out_, "alice  alice  enabled  10.0.0.1/32  " + key(1));
    CPPUNIT_ASSERT(registry().user("alice") == nullptr);
    go_on();
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, relayctl("import x --dry-run --output y"));
  }

  /// Prints how long that takes.
  void ten_thousand() {
    std::string text = "[Interface]\nPrivateKey = " + key(65000) + '\n';
    for (unsigned i = 1; i <= 10'000; ++i) text += peer(i, fmt::format("# user{}\n", i % 9'000));
    const auto begin = std::chrono::steady_clock::now();
    done("import " + write(text));
    fmt::print("({} ms) ", std::chrono::duration_cast<std::chrono::milliseconds>(
                               std::chrono::steady_clock::now() - begin)
                               .count());
    has(out_, "added 9,000 users, 10,000 peers");
  }

 private:
  std::string write(const std::string& text) {
    const std::string file = lab_->folder / fmt::format("wg{}.conf", files_++);
    std::ofstream(file) << text;
    return file;
  }
  int files_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ImportTest);

}  // namespace wirelay::cli
