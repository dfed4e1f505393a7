// relayctl with strings for streams.
#include "tests/cli/relayctl_fixture.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include <cppunit/TestAssert.h>

namespace wirelay::test {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream words(line);
  return {std::istream_iterator<std::string>(words), {}};
}

void RelayctlFixture::setUp() {
  lab_ = std::make_unique<ApiLab>();
  go_on();
}

void RelayctlFixture::tearDown() {
  rest();
  lab_.reset();
}

int RelayctlFixture::run_words(const std::vector<std::string>& words, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = cli::run(words, {in, out, err});
  out_ = out.str();
  err_ = err.str();
  return code;
}

int RelayctlFixture::relayctl(const std::string& line, const std::string& input) {
  auto words = words_of(line);
  words.insert(words.end(), {"--socket", lab_->socket});
  return run_words(words, input);
}

void RelayctlFixture::done(const std::string& line, const std::string& input) {
  const int code = relayctl(line, input);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(line + "\n" + err_, int{cli::kDone}, code);
}

void RelayctlFixture::has(const std::string& text, const std::string& part) {
  CPPUNIT_ASSERT_MESSAGE("no \"" + part + "\" in:\n" + text, text.find(part) != std::string::npos);
}

void RelayctlFixture::has_not(const std::string& text, const std::string& part) {
  CPPUNIT_ASSERT_MESSAGE("\"" + part + "\" in:\n" + text, text.find(part) == std::string::npos);
}

const ctrl::Registry& RelayctlFixture::registry() {
  rest();
  return lab_->relay.registry();
}

void RelayctlFixture::rest() { loop_ = {}; }

void RelayctlFixture::go_on() { loop_ = lab_->turn_in_background(); }

std::string RelayctlFixture::users_file(int n, int wrong) const {
  const std::string path = lab_->folder / "many.json";
  std::ofstream file(path);
  file << "{\"users\": [";
  for (int i = 0; i < n; ++i) {
    file << (i == 0 ? "" : ",") << R"({"name": "user)" << (i == wrong ? " " : "") << i
         << R"(", "limits": {"up": {"rate": "20M"}, "down": {"rate": "20M", "packets": 1000}}})";
  }
  file << "]}";
  return path;
}

}  // namespace wirelay::test
