// Runs relayctl in this process against the real server before a fake relay.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <cppunit/TestFixture.h>

#include "cli/cli.h"
#include "tests/support/api_lab.h"

namespace wirelay::test {

std::string text_of(const std::string& path);
std::vector<std::string> words_of(const std::string& line);

class RelayctlFixture : public CppUnit::TestFixture {
 public:
  void setUp() override;
  void tearDown() override;

 protected:
  static inline const std::string kKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

  /// The exit code; out_ and err_ have what was printed.
  int run_words(const std::vector<std::string>& words, const std::string& input = "");
  /// The same with the relay's socket.
  int relayctl(const std::string& line, const std::string& input = "");
  /// Fails unless it is done.
  void done(const std::string& line, const std::string& input = "");
  static void has(const std::string& text, const std::string& part);
  static void has_not(const std::string& text, const std::string& part);
  /// The registry is the loop's, which rests while a test looks at it and until go_on().
  const ctrl::Registry& registry();
  void rest();
  void go_on();
  /// A file of `n` users; the one at `wrong` will be refused.
  std::string users_file(int n, int wrong = -1) const;

  std::unique_ptr<ApiLab> lab_;
  std::jthread loop_;
  std::string out_, err_;
};

}  // namespace wirelay::test
