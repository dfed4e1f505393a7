// Protects what relayctl says when it is not done: exit codes, refusals, help, guesses.
#include <cstdlib>

#include <cppunit/extensions/HelperMacros.h>

#include "cli/command.h"
#include "crypto/keys.h"
#include "ctrl/base/json.h"
#include "ctrl/base/version.h"
#include "tests/cli/relayctl_fixture.h"

namespace wirelay::cli {

using test::words_of;

class RelayctlUsageTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(RelayctlUsageTest);
  CPPUNIT_TEST(refusals_name_the_field);
  CPPUNIT_TEST(wrong_usage_is_told);
  CPPUNIT_TEST(misspelt_commands_are_guessed);
  CPPUNIT_TEST(every_command_helps);
  CPPUNIT_TEST(examples_are_commands_with_known_options);
  CPPUNIT_TEST(no_relay_is_its_own_exit_code);
  CPPUNIT_TEST(keys_are_made_without_a_relay);
  CPPUNIT_TEST(json_is_json);
  CPPUNIT_TEST_SUITE_END();

 public:
  void refusals_name_the_field() {
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add alice --rate-up 0"));
    has(err_, "relayctl: limits.up.rate: ");
    has(err_, "nothing was changed");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user show nobody"));
    has(err_, "there is no user \"nobody\"");
    done("user add alice");
    CPPUNIT_ASSERT_EQUAL(int{kRefused},
                         relayctl("peer add x --user alice --allowed-ips 10.77.0.1/32 "
                                  "--public-key " +
                                  kKey));
    has(err_, "allowed_ips[0]: 10.77.0.1/32 is the relay's own address");
    CPPUNIT_ASSERT_EQUAL(int{kRefused},
                         relayctl("peer add x --user alice --allowed-ips 10.77.0.2/32 "
                                  "--public-key abc"));
    has(err_, "public_key: ");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file /nonexistent"));
    has(err_, "cannot read /nonexistent");
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("user add --file -", "{\"users\": [}"));
    has(err_, "the input: line 1, column 12: expected a value");
  }

  void wrong_usage_is_told() {
    for (const std::string line :
         {"user", "user add", "user set alice", "user show", "user show a b", "user remove",
          "status now", "user add alice --rat 20M", "user add alice --file x",
          "user add --file x --rate 20M", "peer add --file x --user a", "peer add x",
          "peer add x --user a --allowed-ips 10.0.0.1", "peer set x",
          "peer add x --user a --allowed-ips 10.0.0.1 --generate --public-key k",
          "user set a --enable --disable", "user list --limit ten", "export", "nonsense",
          // Options that would do nothing.
          "user add alice --first 2", "user list --json --names", "peer list --json --names",
          "peer add x --user a --allowed-ips 10.0.0.1 --public-key k --output f",
          "peer add x --user a --allowed-ips 10.0.0.1 --public-key k --first 2",
          "peer config x --json --output f", "peer config x --json --endpoint h:1",
          "peer config x --json --private-key-file f", "peer config x --json --dns 9.9.9.9",
          "peer config x --json --allowed-ips ::/0", "peer config x --json --keepalive 25"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(line, int{kUsage}, relayctl(line));
      CPPUNIT_ASSERT_MESSAGE(line, !err_.empty() && out_.empty());
    }
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, run_words({"user", "add", "alice", "--rate"}));
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, run_words({"--socket", "x", "user", "add", "a", "--rate"}));
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, run_words({}));
    has(err_, "Usage: relayctl");
  }

  void misspelt_commands_are_guessed() {
    relayctl("statsu");
    has(err_, "did you mean \"status\"?");
    relayctl("user ad x");
    has(err_, "did you mean \"user add\"?");
    relayctl("per list");
    has(err_, "did you mean \"peer list\"?");
    relayctl("frobnicate");
    has_not(err_, "did you mean");
  }

  void every_command_helps() {
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"help"}));
    const std::string overview = out_;
    for (const Command& command : all_commands()) {
      has(overview, std::string(command.name));
      auto words = words_of(std::string(command.name));
      words.insert(words.begin(), "help");
      CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words(words));
      has(out_, "Examples:\n  ");
      words.erase(words.begin());
      words.emplace_back("--help");
      const std::string help = out_;
      CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words(words));
      CPPUNIT_ASSERT_EQUAL(help, out_);
    }
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"help", "user"}));
    has(out_, "user remove");
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"--version"}));
    has(out_, std::string("relayctl ") + ctrl::version());
  }

  void examples_are_commands_with_known_options() {
    for (const Command& command : all_commands()) {
      has(std::string(command.examples), "relayctl " + std::string(command.name));
      std::string known;
      const po::options_description described = options_of(command);
      for (const auto& option : described.options()) {
        known += "--" + option->long_name() + ' ';
      }
      for (const auto& word : words_of(std::string(command.examples))) {
        if (word.starts_with("--")) has(known, word + ' ');
      }
    }
  }

  void no_relay_is_its_own_exit_code() {
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable},
                         run_words({"status", "--socket", lab_->folder / "none.sock"}));
    has(err_, "is relayd running?");
    setenv("WIRELAY_SOCKET", (lab_->folder / "other.sock").c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, run_words({"status"}));
    has(err_, "other.sock");
    setenv("WIRELAY_SOCKET", lab_->socket.c_str(), 1);
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"status"}));
    unsetenv("WIRELAY_SOCKET");
  }

  void keys_are_made_without_a_relay() {
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"genkey"}));
    const std::string first = out_;
    CPPUNIT_ASSERT_EQUAL(size_t{45}, first.size());
    run_words({"genkey"});
    CPPUNIT_ASSERT(first != out_);
    // RFC 7748, section 6.1: Alice's keys.
    CPPUNIT_ASSERT_EQUAL(int{kDone},
                         run_words({"pubkey"}, "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n"), out_);
    CPPUNIT_ASSERT_EQUAL(int{kDone}, run_words({"genpsk"}));
    CPPUNIT_ASSERT(crypto::parse_base64_key(out_.substr(0, 44)).has_value());
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, run_words({"pubkey"}, "secret that is no key"));
    has_not(err_, "secret that");
  }

  void json_is_json() {
    const auto field = [&](const std::string& line, const char* name, const std::string& in = "") {
      done(line, in);
      const Json::Value value = ctrl::parse_json(out_, {})[name];
      CPPUNIT_ASSERT_MESSAGE(line + ": " + out_, !value.isNull());
      return value.asString();
    };
    CPPUNIT_ASSERT(crypto::parse_base64_key(field("genkey --json", "private_key")));
    CPPUNIT_ASSERT(crypto::parse_base64_key(field("genpsk --json", "preshared_key")));
    CPPUNIT_ASSERT(crypto::parse_base64_key(field("pubkey --json", "public_key", kKey)));
    field("user add alice --json", "users_added");
    const std::string peer = "peer add phone --user alice --allowed-ips 10.77.0.2/32 --generate";
    has(field(peer + " --json", "client_file"), "PrivateKey = ");
    CPPUNIT_ASSERT_EQUAL(std::string(), err_);
    done("peer remove phone");
    const std::string file = lab_->folder / "phone.conf";
    CPPUNIT_ASSERT_EQUAL(std::string("1"), field(peer + " --json --output " + file, "peers_added"));
    has_not(out_, "PrivateKey");
    has(test::text_of(file), "PrivateKey = ");
    CPPUNIT_ASSERT_EQUAL(std::string("phone"), field("peer config phone --json", "name"));
    CPPUNIT_ASSERT_EQUAL(std::string("1"), field("export --json " + file, "users"));
    done("export --json -");
    CPPUNIT_ASSERT_EQUAL(Json::ArrayIndex{1}, ctrl::parse_json(out_, {})["users"].size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RelayctlUsageTest);

}  // namespace wirelay::cli
