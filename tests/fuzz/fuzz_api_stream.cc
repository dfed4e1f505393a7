// Fuzzes how the API cuts a client's bytes into lines. The first byte says how many bytes come at a
// time; the rest is what a client sends, and then nothing more. However it is cut into pieces: each
// line is answered as if it had come alone, in its order, the last one even without its newline,
// and then the connection is closed.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "crypto/keys.h"
#include "ctrl/base/log.h"
#include "tests/fuzz/target.h"
#include "tests/support/api_lab.h"

using namespace wirelay;

namespace {

constexpr size_t kLongest = 65536;

/// What the seeds should have reached.
bool many_lines = false, no_newline = false, cut_line = false;

std::string line_by_line(std::string_view text) {
  test::FakeRelay relay;
  std::string replies;
  size_t lines = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    no_newline |= end == text.size();
    const std::string_view line = text.substr(0, end);
    const bool blank = line.find_first_not_of(" \t\r") == std::string_view::npos;
    if (!blank) replies += relay.answer(line);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++lines;
  }
  many_lines |= lines > 1;
  return replies;
}

std::string through_a_socket(std::string_view text, size_t at_a_time) {
  test::ApiLab lab;
  test::RawClient client(lab);
  for (size_t at = 0; at < text.size(); at += at_a_time) {
    const std::string_view piece = text.substr(at, at_a_time);
    cut_line |= piece.find('\n') == std::string_view::npos;
    client.send_all(piece);
    lab.turn();
  }
  client.shut_down_writing();
  if (!client.await_close()) std::abort();
  std::string replies;
  while (const auto line = client.line()) replies += *line + '\n';
  return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started =
      (crypto::init_crypto(), ctrl::set_log_level(ctrl::LogLevel::kError), true);
  static_cast<void>(started);
  if (size == 0 || size > kLongest) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string got = through_a_socket(text, 1 + data[0]), expected = line_by_line(text);
  if (got == expected) return 0;
  std::cerr << "answered:\n" << got << "expected:\n" << expected;
  std::abort();
}

extern "C" const char* missed_by_seeds(size_t) {
  if (!many_lines) return "a second line";
  if (!no_newline) return "a line without a newline";
  return cut_line ? nullptr : "a line in pieces";
}
