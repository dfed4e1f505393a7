// A reader of JSON (RFC 8259) that keeps no values, only where they end.
#include "cli/json_list.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "cli/errors.h"

namespace wirelay::cli {

namespace {

constexpr unsigned kMaxDepth = 32;
constexpr std::string_view kBlanks = " \t\r\n";

/// Walks over a text; what it walks over is written to an output, but for blanks and comments.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark
    skip_blanks();
  }

  /// Whether `c` is next; steps over it then.
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    skip_blanks();
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }
  void end() const {
    if (at_ < text_.size()) fail("something stands behind the value");
  }

  /// A list or an object: calls `item` for each entry, standing before it.
  template <typename Item>
  void items(char open, char close, Item item) {
    if (++depth_ > kMaxDepth) fail("nested too deep");
    expect(open);
    if (!take(close)) {
      do item();
      while (take(','));
      expect(close);
    }
    --depth_;
  }

  /// A string with its quotes, as it is written.
  std::string_view string() {
    const size_t begin = at_;
    if (next() != '"') fail("expected a string");
    for (++at_;; at_ += 2) {
      at_ = std::min(text_.find_first_of("\"\\", at_), text_.size());
      if (at_ >= text_.size()) fail("a string has no end", begin);
      if (text_[at_] == '"') break;
    }
    const std::string_view found = text_.substr(begin, ++at_ - begin);
    if (found.find_first_of("\r\n") != std::string_view::npos) fail("a string has no end", begin);
    skip_blanks();
    return found;
  }

  /// Any value, written to `out`.
  void value(std::string& out) {
    if (next() == '{') {
      out += '{';
      items('{', '}', [&] {
        separate(out, '{');
        out += string();
        expect(':');
        out += ':';
        value(out);
      });
      out += '}';
    } else if (next() == '[') {
      out += '[';
      items('[', ']', [&] {
        separate(out, '[');
        value(out);
      });
      out += ']';
    } else {
      out += next() == '"' ? string() : word();
    }
  }

  [[nodiscard]] char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

 private:
  static void separate(std::string& out, char open) {
    if (out.back() != open) out += ',';
  }

  /// A number, true, false or null; the relay says what it thinks of the number.
  std::string_view word() {
    const size_t begin = at_;
    while (std::isalnum(static_cast<unsigned char>(next())) != 0 || next() == '-' ||
           next() == '+' || next() == '.') {
      ++at_;
    }
    const std::string_view found = text_.substr(begin, at_ - begin);
    const bool number = !found.empty() && found.find_first_not_of("0123456789+-.eE") == found.npos;
    if (!number && found != "true" && found != "false" && found != "null") {
      fail("expected a value", begin);
    }
    skip_blanks();
    return found;
  }

  void skip_blanks() {
    for (;;) {
      at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size());
      const std::string_view two = text_.substr(at_, 2);
      if (two == "//") {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (two == "/*") {
        const size_t end = text_.find("*/", at_ + 2);
        if (end == text_.npos) fail("a comment has no end");
        at_ = end + 2;
      } else {
        return;
      }
    }
  }

  [[noreturn]] void fail(const std::string& what) const { fail(what, at_); }
  [[noreturn]] void fail(const std::string& what, size_t at) const {
    const std::string_view before = text_.substr(0, at);
    const auto line = 1 + std::ranges::count(before, '\n');
    const size_t column = at - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    throw Failure("not JSON: line " + std::to_string(line) + ", column " + std::to_string(column) +
                  ": " + what);
  }

  std::string_view text_;
  size_t at_ = 0;
  unsigned depth_ = 0;
};

}  // namespace

JsonList::JsonList(std::string_view text, std::string_view name) {
  Scanner scanner(text);
  const auto list = [&] {
    if (scanner.next() != '[') throw Failure("\"" + std::string(name) + "\" is not a list");
    compact_.reserve(text.size());
    scanner.items('[', ']', [&] {
      scanner.value(compact_);
      ends_.push_back(compact_.size());
      compact_ += ',';
    });
  };
  if (scanner.next() == '{') {
    const std::string wanted = '"' + std::string(name) + '"';
    std::string unused;
    bool seen = false;
    scanner.items('{', '}', [&] {
      const bool is_it = scanner.string() == wanted;
      scanner.expect(':');
      if (is_it && std::exchange(seen, true)) throw Failure(wanted + " stands there twice");
      if (is_it) {
        list();
      } else {
        unused.clear();
        scanner.value(unused);
      }
    });
  } else {
    list();
  }
  scanner.end();
}

std::string_view JsonList::text(size_t begin, size_t end) const {
  if (begin >= end) return {};
  const size_t from = begin == 0 ? 0 : ends_[begin - 1] + 1;
  return std::string_view(compact_).substr(from, ends_[end - 1] - from);
}

}  // namespace wirelay::cli
