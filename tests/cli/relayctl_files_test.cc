// Protects the files that relayctl makes and takes: client files, exports, and many users in one.
#include <cstdlib>
#include <fstream>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "crypto/keys.h"
#include "tests/cli/relayctl_fixture.h"

namespace wirelay::cli {

using test::text_of;

class RelayctlFilesTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(RelayctlFilesTest);
  CPPUNIT_TEST(generated_keys_make_a_ready_client_file);
  CPPUNIT_TEST(a_client_file_says_what_is_missing);
  CPPUNIT_TEST(a_client_sends_what_it_has_addresses_for);
  CPPUNIT_TEST(keys_are_rotated);
  CPPUNIT_TEST(a_key_of_another_peer_is_refused);
  CPPUNIT_TEST(an_export_is_secret_and_loads_again);
  CPPUNIT_TEST(a_large_file_goes_in_several_requests);
  CPPUNIT_TEST(files_are_read_as_they_are_written);
  CPPUNIT_TEST(a_mistake_far_into_a_file_changes_nothing);
  CPPUNIT_TEST(what_cannot_be_read_is_told);
  CPPUNIT_TEST(a_refusal_in_a_large_file_says_where_to_go_on);
  CPPUNIT_TEST_SUITE_END();

 public:
  void generated_keys_make_a_ready_client_file() {
    done("user add alice");
    done(
        "peer add phone --user alice --allowed-ips 10.77.0.2/32,10.8.0.0/16 --generate "
        "--generate-psk");
    has(out_, "[Interface]\nPrivateKey = ");
    has(out_, "Address = 10.77.0.2/32\n");
    has(out_, "DNS = 10.77.0.1\n");
    has(out_, "PresharedKey = ");
    has(out_, "AllowedIPs = 0.0.0.0/0\nEndpoint = 198.51.100.1:51820\n");
    const std::string at = "PrivateKey = ";
    const auto secret = crypto::parse_base64_key(out_.substr(out_.find(at) + at.size(), 44));
    CPPUNIT_ASSERT(secret.has_value());
    const auto peer = registry().peer("phone");
    CPPUNIT_ASSERT(peer->public_key == crypto::derive_public_key(crypto::Secret(*secret)));
    has(out_, crypto::to_base64(peer->preshared_key->bytes()));
    go_on();
    const std::string file = lab_->folder / "tablet.conf";
    done("peer add tablet --user alice --allowed-ips 10.77.0.3/32 --generate --output " + file);
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has(text_of(file), "PrivateKey = ");
    // Without its file nobody would know the key: the peer goes again.
    CPPUNIT_ASSERT_EQUAL(int{kRefused},
                         relayctl("peer add pad --user alice --allowed-ips 10.77.0.4/32 --generate "
                                  "--output /nonexistent/pad.conf"));
    has(err_, "cannot write /nonexistent/pad.conf");
    CPPUNIT_ASSERT(registry().peer("pad") == nullptr);
  }

  void a_client_file_says_what_is_missing() {
    done("user add alice");
    done("peer add site --user alice --allowed-ips 10.8.0.0/16 --public-key " + kKey);
    done(
        "peer config site --endpoint vpn.example.net:443 --dns 10.0.0.1,10.0.0.2 --keepalive 25 "
        "--allowed-ips 10.0.0.0/8");
    has(out_, "# PrivateKey = the private key that belongs to " + kKey);
    has(out_, "# Address = an address of this client within 10.8.0.0/16");
    has(out_, "DNS = 10.0.0.1, 10.0.0.2\n");
    has(out_,
        "AllowedIPs = 10.0.0.0/8\nEndpoint = vpn.example.net:443\nPersistentKeepalive = 25\n");
    has_not(out_, "PresharedKey");
    has_not(out_, "MTU");
    lab_->relay.mtu = 1460;
    done("peer config site");
    has(out_, "MTU = 1380\n");
  }

  void a_client_sends_what_it_has_addresses_for() {
    done("user add alice");
    for (const auto& [ips, all] :
         {std::pair("10.77.0.2/32,fd77::2/128", "0.0.0.0/0, ::/0"),
          std::pair("10.77.0.3/32", "0.0.0.0/0"), std::pair("fd77::4/128", "::/0")}) {
      done("peer add phone --user alice --public-key " + kKey + " --allowed-ips " + ips);
      done("peer config phone");
      has(out_, std::string("AllowedIPs = ") + all + '\n');
      done("peer remove phone");
    }
  }

  void keys_are_rotated() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32 --keepalive 25 --public-key " +
         kKey);
    done("peer rotate phone");
    has(err_, "phone has new keys");
    const auto secret = crypto::parse_base64_key(out_.substr(out_.find("PrivateKey = ") + 13, 44));
    const auto peer = registry().peer("phone");
    CPPUNIT_ASSERT(peer->public_key == crypto::derive_public_key(crypto::Secret(*secret)));
    CPPUNIT_ASSERT(!peer->preshared_key);
    CPPUNIT_ASSERT_EQUAL(uint16_t{25}, peer->persistent_keepalive);
    CPPUNIT_ASSERT_EQUAL(std::string("10.77.0.2/32"), to_string(peer->allowed_ips.at(0)));
    // A client that makes its own.
    go_on();
    done("peer rotate phone --public-key " + kKey);
    CPPUNIT_ASSERT_EQUAL(kKey, crypto::to_base64(registry().peer("phone")->public_key));
    // Where there was a preshared key, there is another one.
    go_on();
    done("peer add pad --user alice --allowed-ips 10.77.0.3/32 --generate --generate-psk");
    const auto before = registry().peer("pad")->preshared_key;
    go_on();
    done("peer rotate pad");
    has(out_, "PresharedKey = ");
    CPPUNIT_ASSERT(!same_value(before, registry().peer("pad")->preshared_key));
    go_on();
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer rotate pad --public-key " + kKey));
    has(err_, "public_key: is the key of peer \"phone\" already");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer rotate nobody"));
  }

  void a_key_of_another_peer_is_refused() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32 --public-key " + kKey);
    const std::string other = crypto::to_base64(crypto::generate_private_key().bytes());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer config phone --private-key-file -", other));
    has(err_, "another key");
    has_not(err_, other);
  }

  void an_export_is_secret_and_loads_again() {
    done("user add alice --rate 20M --max-peers 5");
    done("user add bob --disable");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32,fd77::2/128 --public-key " + kKey +
             " --endpoint [2001:db8::1]:1000 --keepalive 25 --preshared-key-file -",
         kKey);
    const std::string file = lab_->folder / "users.json";
    done("export " + file);
    struct stat status;
    CPPUNIT_ASSERT_EQUAL(0, stat(file.c_str(), &status));
    CPPUNIT_ASSERT_EQUAL(mode_t{0600}, status.st_mode & 0777);
    const std::string first = text_of(file);
    has(first, "\"preshared_key\"");
    done("user remove alice bob");
    done("user add --file " + file);
    CPPUNIT_ASSERT_EQUAL(std::string("added 2 users, 1 peer\n"), out_);
    done("export -");
    CPPUNIT_ASSERT_EQUAL(first, out_);
  }

  void a_large_file_goes_in_several_requests() {
    done("user add --file " + users_file(13'000));
    CPPUNIT_ASSERT_EQUAL(std::string("added 13,000 users\n"), out_);
    CPPUNIT_ASSERT_EQUAL(size_t{13'000}, registry().user_count());
  }

  void files_are_read_as_they_are_written() {
    const auto add = [&](const std::string& text) {
      go_on();
      return relayctl("user add --file -", text);
    };
    CPPUNIT_ASSERT_EQUAL(int{kDone}, add("// users\n{\"other\": [1, {\"users\": 2}], \"users\": "
                                         "[{\"name\" : \"a\"},\n /* two */ {\"name\": "
                                         "\"b\", \"limits\": {}}]}\n"));
    CPPUNIT_ASSERT_EQUAL(int{kDone}, add("[{\"name\":\"c\",\"enabled\":false}]"));
    CPPUNIT_ASSERT_EQUAL(size_t{3}, registry().user_count());
    CPPUNIT_ASSERT(!registry().user("c")->enabled());
    const std::pair<const char*, const char*> wrong[] = {
        {"", "the input: line 1, column 1: expected a value"},
        {"{\"users\": [\n{\"name\": \"d\"}", "line 2, column 14: expected ',' or ']'"},
        {"[{\"name\": \"d}]", "line 1, column 15: a string has no end"},
        {"[{\"name\": \"d\\", "there is no such escape"},
        {"[{\"name\": \"d\"}] x", "line 1, column 17: something stands behind"},
        {"[{name: 1}]", "line 1, column 3: expected a key, in double quotes"},
        {"[nothing]", "line 1, column 3: expected a value"},
        {"[1,]", "line 1, column 4: expected a value"},
        {"[1 /* ", "a comment has no end"},
        {"{\"users\": {}}", "line 1, column 11: \"users\" is not a list"},
        {"{\"peers\": []}", "the input: expected {\"users\": [...]} with at least one entry"},
    };
    for (const auto& [text, part] : wrong) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, int{kRefused}, add(text));
      has(err_, part);
    }
    CPPUNIT_ASSERT_EQUAL(size_t{3}, registry().user_count());
  }

  /// In the last user of more than one request.
  void a_mistake_far_into_a_file_changes_nothing() {
    const std::string good = text_of(users_file(13'000));
    const std::string huge(size_t{1} << 20, 'x');
    const std::pair<std::string, const char*> wrong[] = {
        {R"({"name": "x", "enabled": true, "name": "y"})", "line 2, column 35: the key \"name\""},
        {R"({"name": "x\y"})", "line 2, column 15: there is no such escape"},
        {R"({"name": "x", "max_peers": 01})", "line 2, column 32: expected ',' or '}'"},
        {R"({"name": ")" + huge + R"("})",
         "line 2, column 4: entry 13,001 of \"users\" has 1,048,5"},
    };
    const std::string file = lab_->folder / "wrong.json";
    for (const auto& [last, part] : wrong) {
      std::ofstream(file) << good.substr(0, good.size() - 2) << ",\n   " << last << "\n]}";
      CPPUNIT_ASSERT_EQUAL_MESSAGE(part, int{kRefused}, relayctl("user add --file " + file));
      has(err_, "relayctl: " + file + ": " + part);
      CPPUNIT_ASSERT_EQUAL(size_t{0}, registry().user_count());
      go_on();
    }
  }

  void what_cannot_be_read_is_told() {
    const std::string folder = lab_->folder / "";
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file " + folder));
    has(err_, "cannot read " + folder + ": Is a directory");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer add x --user a --allowed-ips 10.0.0.1/32 "
                                                 "--public-key " +
                                                 kKey + " --preshared-key-file " + folder));
    has(err_, "cannot read " + folder + ": Is a directory");
    const std::string said = folder + "/said";
    const std::string command = RELAYCTL " pubkey < " + folder + " 2> " + said;
    CPPUNIT_ASSERT(std::system(command.c_str()) != 0);
    has(text_of(said), "cannot read the input: Is a directory");
  }

  void a_refusal_in_a_large_file_says_where_to_go_on() {
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file " + users_file(13'000, 9'000)));
    has(err_, "user 9000");
    has(err_, "stopped at users ");
    has(err_, "of 13,000");
    const std::string hint = "--first ";
    const int first = std::atoi(err_.c_str() + err_.find(hint) + hint.size());
    CPPUNIT_ASSERT(first > 1 && first <= 9'001);
    CPPUNIT_ASSERT_EQUAL(static_cast<size_t>(first - 1), registry().user_count());
    go_on();
    done("user add --first " + std::to_string(first) + " --file " + users_file(13'000));
    CPPUNIT_ASSERT_EQUAL(size_t{13'000}, registry().user_count());
    go_on();
    // What fits into one request is added wholly or not at all.
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file " + users_file(100, 99)));
    has(err_, "nothing was changed");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlFilesTest);

}  // namespace wirelay::cli
