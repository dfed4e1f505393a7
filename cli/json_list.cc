// Entries are copied without blanks while the text is scanned, one behind the other.
#include "cli/json_list.h"

#include "cli/format.h"
#include "cli/json_scanner.h"

namespace wirelay::cli {

JsonList::JsonList(std::string_view text, const std::string& name, size_t most) {
  JsonScanner scanner(text);
  compact_.reserve(text.size());
  if (scanner.next() == '{') {
    const std::string wanted = '"' + name + '"';
    std::string unused;
    scanner.object([&](std::string_view key) {
      if (key == wanted) return take(scanner, name, most);
      unused.clear();
      scanner.value(unused);
    });
  } else {
    take(scanner, name, most);
  }
  scanner.end();
}

void JsonList::take(JsonScanner& scanner, const std::string& name, size_t most) {
  if (scanner.next() != '[') scanner.fail('"' + name + "\" is not a list", scanner.at());
  scanner.list([&] {
    const size_t at = scanner.at(), begin = compact_.size();
    scanner.value(compact_);
    if (const size_t bytes = compact_.size() - begin; bytes > most) {
      scanner.fail("entry " + count_text(size() + 1) + " of \"" + name + "\" has " +
                       count_text(bytes) + " bytes, and a request takes " + count_text(most),
                   at);
    }
    ends_.push_back(compact_.size());
    compact_ += ',';
  });
}

std::string_view JsonList::text(size_t begin, size_t end) const {
  if (begin >= end) return {};
  const size_t from = begin == 0 ? 0 : ends_[begin - 1] + 1;
  return std::string_view(compact_).substr(from, ends_[end - 1] - from);
}

}  // namespace wirelay::cli
