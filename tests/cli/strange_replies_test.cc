// Protects relayctl from what no relay of ours says: it never ends without an exit code and a line
// of its own, a terminal gets no control characters, a client file no lines of others, and the
// private key that relayctl made is not lost.
#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include "tests/cli/relayctl_fixture.h"
#include "tests/support/scripted_relay.h"

namespace wirelay::cli {

namespace {

class StrangeRepliesTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(StrangeRepliesTest);
  CPPUNIT_TEST(values_of_another_type);
  CPPUNIT_TEST(refusals_of_another_shape);
  CPPUNIT_TEST(control_characters);
  CPPUNIT_TEST(lines_for_a_client_file);
  CPPUNIT_TEST(no_counts_for_a_generated_key);
  CPPUNIT_TEST_SUITE_END();

 public:
  void values_of_another_type() {
    for (const char* result : {"1", "[]", R"({"users": [1]})", R"({"users": [{"name": {}}]})"}) {
      CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, told("user list", result_of(result)));
      has(err_, "relayctl: the relay's reply is not what this relayctl knows");
    }
  }

  void refusals_of_another_shape() {
    for (const char* error :
         {R"({"message": []})", R"({"message": "no", "data": {"problems": [1]}})",
          R"({"message": "no", "data": {"problems": [{}], "problems_found": -1}})"}) {
      const std::string reply = R"({"id": 1, "error": )" + std::string(error) + "}\n";
      CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, told("user list", reply));
      has(err_, "relayctl: the relay's reply is not what this relayctl knows");
    }
  }

  void control_characters() {
    const std::string reply = result_of(R"({"needs_restart": ["a\u001bb"], "difference": []})");
    CPPUNIT_ASSERT_EQUAL(int{kDone}, told("reload", reply));
    has(out_, "needs a restart: a?b\n");
  }

  void lines_for_a_client_file() {
    const std::string reply = result_of(
        R"({"name": "a\nb", "user": "c", "public_key": "k", "allowed_ips": ["10.0.0.1/32"],
                      "relay": {"dns": ["9.9.9.9\nPostUp = d"], "endpoint": "e\nPostUp = f"}})");
    CPPUNIT_ASSERT_EQUAL(int{kDone}, told("peer config phone", reply));
    has(out_, "# a?b, user c\n");
    has_not(out_, "\nPostUp");
  }

  void no_counts_for_a_generated_key() {
    const char* add = "peer add phone --user alice --generate --allowed-ips 10.77.0.2/32";
    CPPUNIT_ASSERT_EQUAL(int{kUnreachable}, told(add, result_of("[]")));
    has(out_, "\nPrivateKey = ");
    has(err_, "whether phone has the key");
  }

 private:
  static std::string result_of(std::string json) {
    std::erase(json, '\n');
    return R"({"jsonrpc": "2.0", "id": 1, "result": )" + json + "}\n";
  }
  /// The exit code of a command whose only reply is that.
  int told(const std::string& line, const std::string& reply) {
    const test::ScriptedRelay relay(lab_->folder / "strange.sock", reply);
    auto words = test::words_of(line);
    words.insert(words.end(), {"--socket", relay.path()});
    const int code = run_words(words);
    unlink(relay.path().c_str());
    return code;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StrangeRepliesTest);

}  // namespace
}  // namespace wirelay::cli
