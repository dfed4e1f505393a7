// The grammar of RFC 8259, and what the relay asks for beyond it: no key twice, no lone surrogates,
// numbers within a double, bounded depth.
#include "cli/json_scanner.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <span>

#include "cli/errors.h"
#include "cli/json_text.h"

namespace wirelay::cli {

namespace {

/// The relay takes 32 levels, and a request has up to two more around a list than its file.
constexpr unsigned kMaxDepth = 30;

constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_high_surrogate(unsigned unit) { return unit >= 0xd800 && unit < 0xdc00; }
constexpr bool is_low_surrogate(unsigned unit) { return unit >= 0xdc00 && unit < 0xe000; }

bool is_number(std::string_view word) {
  const auto take = [&](std::string_view any) {
    const bool found = !word.empty() && any.find(word.front()) != any.npos;
    if (found) word.remove_prefix(1);
    return found;
  };
  const auto digits = [&] {
    const size_t n = std::min(word.find_first_not_of("0123456789"), word.size());
    word.remove_prefix(n);
    return n != 0;
  };
  take("-");
  if (!take("0") && !digits()) return false;
  if (take(".") && !digits()) return false;
  if (take("eE")) {
    take("+-");
    if (!digits()) return false;
  }
  return word.empty();
}

bool fits_double(std::string_view number) {
  double unused = 0;
  return std::from_chars(number.begin(), number.end(), unused).ec == std::errc();
}

}  // namespace

JsonScanner::JsonScanner(std::string_view text) : text_(text) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark
  skip_blanks();
}

void JsonScanner::value(std::string& out) {
  const auto separate = [&out](char open) {
    if (out.back() != open) out += ',';
  };
  if (next() == '{') {
    out += '{';
    object([&](std::string_view key) {
      separate('{');
      out.append(key).append(1, ':');
      value(out);
    });
    out += '}';
  } else if (next() == '[') {
    out += '[';
    list([&] {
      separate('[');
      value(out);
    });
    out += ']';
  } else {
    out += next() == '"' ? string() : word();
  }
}

void JsonScanner::end() const {
  if (at_ < text_.size()) fail("something stands behind the value", at_);
}

void JsonScanner::fail(const std::string& what, size_t at) const {
  const std::string_view before = text_.substr(0, at);
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t column = at - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  throw Failure("line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                what);
}

void JsonScanner::begin(char open) {
  if (++depth_ > kMaxDepth) fail("nested too deep", at_);
  expect(open);
}

/// Whether `c` is next; steps over it then.
bool JsonScanner::take(char c) {
  if (next() != c || at_ >= text_.size()) return false;
  ++at_;
  skip_blanks();
  return true;
}

void JsonScanner::expect(char c) {
  if (!take(c)) fail(std::string("expected '") + c + "'", at_);
}

/// A key and its colon.
std::string_view JsonScanner::key() {
  const size_t at = at_;
  const std::string_view found = string();
  const bool plain = found.find('\\') == found.npos;
  keys_.push_back(
      {plain ? std::string(found.substr(1, found.size() - 2)) : parse(found).asString(), at});
  expect(':');
  return found;
}

/// Takes away the keys of an object, from `own` on, and fails when two are the same.
void JsonScanner::check_keys(size_t own) {
  const std::span mine = std::span(keys_).subspan(own);
  std::ranges::stable_sort(mine, {}, &Key::text);
  const auto twice = std::ranges::adjacent_find(mine, {}, &Key::text);
  if (twice != mine.end()) fail("the key \"" + twice->text + "\" stands there twice", twice[1].at);
  keys_.resize(own);
}

/// With its quotes, as it is written.
std::string_view JsonScanner::string() {
  const size_t begin = at_;
  if (next() != '"') fail("expected a string", at_);
  for (++at_; next() != '"';) {
    if (at_ >= text_.size() || next() == '\n' || next() == '\r') fail("a string has no end", begin);
    if (is_control(next())) fail("a control character in a string", at_);
    if (next() == '\\') {
      escape();
    } else {
      ++at_;
    }
  }
  const std::string_view found = text_.substr(begin, ++at_ - begin);
  skip_blanks();
  return found;
}

void JsonScanner::escape() {
  constexpr std::string_view kEscaped = "\"\\/bfnrt";
  const std::string_view two = text_.substr(at_, 2);
  if (two.size() < 2) fail("a string has no end", at_);
  if (two[1] != 'u') {
    if (kEscaped.find(two[1]) == kEscaped.npos) fail("there is no such escape", at_);
    at_ += 2;
    return;
  }
  constexpr size_t kBytes = std::string_view("\\uXXXX").size();
  const unsigned unit = utf16_unit(at_);
  const bool pair = is_high_surrogate(unit);
  if (is_low_surrogate(unit) || (pair && !is_low_surrogate(utf16_unit(at_ + kBytes)))) {
    fail("half of a surrogate pair", at_);
  }
  at_ += pair ? 2 * kBytes : kBytes;
}

/// What "\uXXXX" at `at` says.
unsigned JsonScanner::utf16_unit(size_t at) const {
  const std::string_view escape = text_.substr(std::min(at, text_.size()), 6);
  unsigned unit = 0;
  if (escape.size() < 6 || !escape.starts_with("\\u") ||
      std::from_chars(escape.begin() + 2, escape.end(), unit, 16).ptr != escape.end()) {
    fail("expected \\u and four hexadecimal digits", at);
  }
  return unit;
}

/// A number, true, false or null.
std::string_view JsonScanner::word() {
  const size_t begin = at_;
  while (std::isalnum(static_cast<unsigned char>(next())) != 0 || next() == '-' || next() == '+' ||
         next() == '.') {
    ++at_;
  }
  const std::string_view found = text_.substr(begin, at_ - begin);
  if (is_number(found)) {
    if (!fits_double(found)) fail("a number out of range", begin);
  } else if (found != "true" && found != "false" && found != "null") {
    fail("expected a value", begin);
  }
  skip_blanks();
  return found;
}

void JsonScanner::skip_blanks() {
  for (;;) {
    while (is_blank(next())) ++at_;
    if (next() != '/') return;
    const std::string_view two = text_.substr(at_, 2);
    if (two == "//") {
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
    } else if (two == "/*") {
      const size_t end = text_.find("*/", at_ + 2);
      if (end == text_.npos) fail("a comment has no end", at_);
      at_ = end + 2;
    } else {
      return;
    }
  }
}

}  // namespace wirelay::cli
