// Protects bash completion: it is driven by the built program, so it knows what the program knows.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/api_lab.h"

namespace wirelay::cli {

class CompletionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CompletionTest);
  CPPUNIT_TEST(commands_and_verbs);
  CPPUNIT_TEST(options_of_the_command);
  CPPUNIT_TEST(names_that_the_relay_knows);
  CPPUNIT_TEST_SUITE_END();

  test::ApiLab lab_;

  /// What is offered for the last of `words`, each followed by a blank.
  std::string complete(const std::vector<std::string>& words) const {
    std::string script = "source '" COMPLETION "'; relayctl() { '" RELAYCTL
                         "' \"$@\"; }; "
                         "export WIRELAY_SOCKET='" +
                         lab_.socket + "'; COMP_WORDS=(relayctl";
    for (const std::string& word : words) script += " '" + word + "'";
    script += "); COMP_CWORD=" + std::to_string(words.size()) +
              "; _relayctl; printf '%s ' \"${COMPREPLY[@]}\"";
    std::string quoted;
    for (const char c : script) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
        popen(("bash --norc -c '" + quoted + "'").c_str(), "r"), pclose);
    std::string text;
    std::array<char, 4096> buffer;
    while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe.get())) {
      text.append(buffer.data(), n);
    }
    return text;
  }
  static void has(const std::string& text, const std::string& part) {
    CPPUNIT_ASSERT_MESSAGE("no \"" + part + "\" in: " + text,
                           (' ' + text).find(' ' + part + ' ') != std::string::npos);
  }

 public:
  void commands_and_verbs() {
    for (const char* word : {"user", "peer", "status", "export", "help"}) has(complete({""}), word);
    CPPUNIT_ASSERT_EQUAL(std::string("stats status "), complete({"sta"}));
    CPPUNIT_ASSERT_EQUAL(std::string("set show "), complete({"user", "s"}));
    CPPUNIT_ASSERT_EQUAL(std::string("config "), complete({"--json", "peer", "c"}));
    CPPUNIT_ASSERT_EQUAL(std::string("add "), complete({"help", "user", "a"}));
  }

  void options_of_the_command() {
    CPPUNIT_ASSERT_EQUAL(std::string("--rate --rate-up --rate-down "),
                         complete({"user", "set", "alice", "--rate"}));
    has(complete({"peer", "config", "phone", "--"}), "--private-key-file");
    has(complete({"status", "--"}), "--json");
    CPPUNIT_ASSERT_EQUAL(std::string("unlimited "), complete({"user", "add", "a", "--rate", "u"}));
  }

  void names_that_the_relay_knows() {
    ctrl::UserSpec user;
    std::vector<ctrl::Step> steps;
    for (const char* name : {"alice", "albert", "bob"}) {
      user.name = name;
      steps.push_back({ctrl::AddUser{user}, ""});
    }
    lab_.relay.apply(std::move(steps));
    const std::jthread loop = lab_.turn_in_background();
    CPPUNIT_ASSERT_EQUAL(std::string("albert alice "), complete({"user", "show", "al"}));
    CPPUNIT_ASSERT_EQUAL(std::string("bob "), complete({"peer", "list", "--user", "b"}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CompletionTest);

}  // namespace wirelay::cli
