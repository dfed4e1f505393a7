// Protects a private key that was made by "peer add --generate" from a connection that breaks: the
// client file comes all the same, unless nothing was asked for.
#include <cppunit/extensions/HelperMacros.h>

#include "tests/cli/relayctl_fixture.h"
#include "tests/support/scripted_relay.h"
#include "tests/support/temp_dir.h"

namespace wirelay::cli {

namespace {

/// What a relay says that says yes to so many requests of one client, and goes.
std::string yes(int answers) {
  std::string text;
  for (int i = 1; i <= answers; ++i) {
    text += R"({"jsonrpc":"2.0","id":)" + std::to_string(i) +
            R"(,"result":{"peers_added":1}})"
            "\n";
  }
  return text;
}

class LostConnectionTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(LostConnectionTest);
  CPPUNIT_TEST(before_the_peer_is_known_to_be_added);
  CPPUNIT_TEST(behind_it);
  CPPUNIT_TEST(into_a_file);
  CPPUNIT_TEST(nobody_was_asked);
  CPPUNIT_TEST_SUITE_END();

 public:
  void before_the_peer_is_known_to_be_added() { assert_printed(0); }
  void behind_it() { assert_printed(1); }

  void into_a_file() {
    const test::ScriptedRelay relay(socket_, yes(1));
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({"--output", dir_.path("phone.conf")}));
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has(test::text_of(dir_.path("phone.conf")), "\nPrivateKey = ");
  }

  void nobody_was_asked() {
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({}));
    CPPUNIT_ASSERT_EQUAL(std::string(), out_);
    has_not(err_, "private key");
  }

 private:
  void assert_printed(int answers) {
    const test::ScriptedRelay relay(socket_, yes(answers));
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, add({"--generate-psk"}));
    has(out_, "# phone, user alice\n[Interface]\nPrivateKey = ");
    has(out_, "Address = 10.77.0.2/32\n");
    has(out_, "\nPresharedKey = ");
    has(out_, "# PublicKey = the relay's");
    has(out_, "# Endpoint = ");
    has(err_, "whether phone has the key");
  }
  int add(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"peer",     "add",        "phone",         "--user",
                                      "alice",    "--generate", "--allowed-ips", "10.77.0.2/32",
                                      "--socket", socket_};
    words.insert(words.end(), more.begin(), more.end());
    return run_words(words);
  }
  test::TempDir dir_;
  const std::string socket_ = dir_.path("relay.sock");
};

CPPUNIT_TEST_SUITE_REGISTRATION(LostConnectionTest);

}  // namespace
}  // namespace wirelay::cli
