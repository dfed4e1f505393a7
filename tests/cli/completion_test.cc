// Protects completion in bash, zsh and fish: it is driven by the built program, so it knows what
// the program knows.
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

  enum class Shell { kBash, kZsh, kFish };
  static constexpr std::array kShells = {Shell::kBash, Shell::kZsh, Shell::kFish};

  /// Has the shell complete the last of `words`, and print what it offers.
  static std::string script_of(Shell shell, const std::vector<std::string>& words) {
    std::string said = "relayctl";
    switch (shell) {
      case Shell::kBash:
        for (const std::string& word : words) said += " '" + word + "'";
        return "source '" COMPLETIONS "/relayctl.bash'; relayctl() { '" RELAYCTL
               "' \"$@\"; }; COMP_WORDS=(" +
               said + "); COMP_CWORD=" + std::to_string(words.size()) +
               "; _relayctl; printf '%s\\n' \"${COMPREPLY[@]}\"";
      case Shell::kZsh:  // compadd, which only the line editor has, chooses by what is there
                         // already
        for (const std::string& word : words) said += " '" + word + "'";
        return "relayctl() { '" RELAYCTL
               "' \"$@\"; }; compadd() { local -a all=(\"$@\"); [[ $1 == -a ]] && "
               "all=(\"${(@P)2}\"); print -rl -- ${(M)all:#$PREFIX*}; }; words=(" +
               said +
               "); CURRENT=${#words}; PREFIX=${words[-1]}; source '" COMPLETIONS "/_relayctl'";
      case Shell::kFish:
        for (const std::string& word : words) said += ' ' + word;
        return "function relayctl; '" RELAYCTL "' $argv; end; source '" COMPLETIONS
               "/relayctl.fish'; complete -C '" +
               said + '\'';
    }
    return {};
  }

  /// What is offered for the last of `words`, in the order of the alphabet, each followed by a
  /// blank.
  std::string complete(const std::vector<std::string>& words, Shell shell = Shell::kBash) const {
    const std::string home = lab_.folder / "home";  // fish makes folders there
    const std::string program = shell == Shell::kBash  ? "bash --norc -c"
                                : shell == Shell::kZsh ? "zsh -f -c"
                                                       : "HOME='" + home + "' fish --no-config -c";
    std::string quoted;
    for (const char c : script_of(shell, words)) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
        popen(("WIRELAY_SOCKET='" + lab_.socket + "' " + program + " '" + quoted +
               "' | sort -u | tr '\\n' ' '")
                  .c_str(),
              "r"),
        pclose);
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
    for (const Shell shell : kShells) {
      const std::string all = complete({""}, shell);
      for (const char* word : {"user", "peer", "status", "export", "help"}) has(all, word);
      CPPUNIT_ASSERT_EQUAL(std::string("stats status "), complete({"sta"}, shell));
      CPPUNIT_ASSERT_EQUAL(std::string("set show "), complete({"user", "s"}, shell));
      CPPUNIT_ASSERT_EQUAL(std::string("config "), complete({"--json", "peer", "c"}, shell));
      CPPUNIT_ASSERT_EQUAL(std::string("add "), complete({"help", "user", "a"}, shell));
    }
  }

  void options_of_the_command() {
    for (const Shell shell : kShells) {
      CPPUNIT_ASSERT_EQUAL(std::string("--rate --rate-down --rate-up "),
                           complete({"user", "set", "alice", "--rate"}, shell));
      has(complete({"peer", "config", "phone", "--"}, shell), "--private-key-file");
      CPPUNIT_ASSERT_EQUAL(std::string("unlimited "),
                           complete({"user", "add", "a", "--rate", "u"}, shell));
    }
  }

  /// Of many: those that the relay would list last, too.
  void names_that_the_relay_knows() {
    ctrl::UserSpec user;
    std::vector<ctrl::Step> steps;
    for (int i = 0; i < 2000; ++i) {
      user.name = "a" + std::to_string(i);
      steps.push_back({ctrl::AddUser{user}, ""});
    }
    for (const char* name : {"alice", "albert", "bob"}) {
      user.name = name;
      steps.push_back({ctrl::AddUser{user}, ""});
    }
    lab_.relay.apply(std::move(steps));
    const std::jthread loop = lab_.turn_in_background();
    for (const Shell shell : kShells) {
      CPPUNIT_ASSERT_EQUAL(std::string("albert alice "), complete({"user", "show", "al"}, shell));
      CPPUNIT_ASSERT_EQUAL(std::string("bob "), complete({"peer", "list", "--user", "b"}, shell));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CompletionTest);

}  // namespace wirelay::cli
