// The entries of one list of a JSON file as text, without a tree of all of it: a file of 100,000
// users is cut into requests, and the relay reads what is in them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/base/json_events.h"

namespace wirelay::cli {

class JsonList {
 public:
  /// The list `name` of the object in `text`, or the list that is all of `text`; all of it is
  /// checked. Comments are allowed, and left out. Throws Failure with the place of a mistake, and
  /// for an entry of more than `most` bytes. An object without such a list has no entries.
  JsonList(std::string_view text, const std::string& name, size_t most);

  [[nodiscard]] size_t size() const noexcept { return ends_.size(); }
  /// Entries `begin` to `end` (not included), with commas between them and no blanks or newlines.
  [[nodiscard]] std::string_view text(size_t begin, size_t end) const;

 private:
  class Reader;

  std::string compact_;       // the entries, a comma behind each
  std::vector<size_t> ends_;  // of each in compact_, its comma not included
};

}  // namespace wirelay::cli
