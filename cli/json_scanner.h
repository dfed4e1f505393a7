// Walks over JSON (RFC 8259) and keeps no values. As strict as the relay, which reads what is sent
// of the text: it finds no mistake there that was not found here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wirelay::cli {

class JsonScanner {
 public:
  /// Comments count as blanks, as in configurations. `text` outlives the scanner.
  explicit JsonScanner(std::string_view text);

  // All of these throw Failure, with line and column, at the first mistake.

  /// A list: calls `item()` for each entry, standing before it.
  template <typename Item>
  void list(Item item) {
    items('[', ']', item);
  }
  /// An object: calls `member(key)` for each, standing before its value. `key` is as it is written,
  /// with its quotes.
  template <typename Member>
  void object(Member member) {
    const size_t own = keys_.size();
    items('{', '}', [&] { member(key()); });
    check_keys(own);
  }
  /// Any value, appended to `out` without blanks and comments.
  void value(std::string& out);
  /// Nothing but blanks is left.
  void end() const;

  /// What is next; '\0' at the end.
  [[nodiscard]] char next() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
  /// Where in the text, in bytes.
  [[nodiscard]] size_t at() const noexcept { return at_; }
  [[noreturn]] void fail(const std::string& what, size_t at) const;

 private:
  struct Key {
    std::string text;
    size_t at = 0;
  };

  template <typename Item>
  void items(char open, char close, Item item) {
    begin(open);
    if (!take(close)) {
      do item();
      while (take(','));
      expect(close);
    }
    --depth_;
  }
  void begin(char open);
  bool take(char c);
  void expect(char c);
  std::string_view key();
  void check_keys(size_t own);
  std::string_view string();
  void escape();
  [[nodiscard]] unsigned utf16_unit(size_t at) const;
  std::string_view word();
  void skip_blanks();

  std::string_view text_;
  size_t at_ = 0;
  unsigned depth_ = 0;
  std::vector<Key> keys_;  // of the objects around `at_`, decoded; the innermost one's last
};

}  // namespace wirelay::cli
