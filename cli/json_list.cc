// Entries are copied without blanks while the text is read, one behind the other.
#include "cli/json_list.h"

#include "cli/errors.h"
#include "cli/format.h"

namespace wirelay::cli {

namespace {

using Kind = ctrl::JsonEvent::Kind;

/// The relay takes 32 levels, and a request has up to two more around a list than its file.
constexpr ctrl::JsonLimits kFile{
    .bytes = size_t{1} << 30, .depth = 30, .comments = true, .values = 20'000'000};

}  // namespace

/// Where a text is read: before the list, in it, or behind it.
class JsonList::Reader {
 public:
  Reader(JsonList& list, std::string_view text, const std::string& name, size_t most)
      : list_(list), text_(text), name_(name), most_(most) {}

  void take(const ctrl::JsonEvent& event) {
    if (event.depth == 0) return root(event);
    if (!inside_) return outside(event);
    if (event.depth + 1 == level_) {  // the list ends
      inside_ = false;
    } else {
      copy(event);
      const bool more = event.kind == Kind::kList || event.kind == Kind::kObject;
      if (event.depth == level_ && !more) end_entry();
    }
  }

 private:
  void root(const ctrl::JsonEvent& event) {
    if (event.kind == Kind::kList) {
      enter(event);
    } else if (event.kind != Kind::kObject && event.kind != Kind::kObjectEnd &&
               event.kind != Kind::kListEnd) {
      not_a_list(event);
    }
  }

  /// A member of the object in which the list is looked for, or of one within it.
  void outside(const ctrl::JsonEvent& event) {
    if (event.depth != 1) return;
    if (event.kind == Kind::kKey) {
      named_ = event.text == name_;
    } else if (named_) {
      if (event.kind != Kind::kList) not_a_list(event);
      named_ = false;
      enter(event);
    }
  }

  void enter(const ctrl::JsonEvent& event) {
    inside_ = true;
    level_ = event.depth + 1;
  }

  void copy(const ctrl::JsonEvent& event) {
    std::string& out = list_.compact_;
    const bool ends = event.kind == Kind::kListEnd || event.kind == Kind::kObjectEnd;
    const bool first = out.empty() || std::string_view("[{:,").find(out.back()) != out.npos;
    if (event.depth == level_ && !ends) entry_ = {out.size(), event.raw.data()};
    if (!ends && !first) out += ',';
    out += event.raw;
    if (event.kind == Kind::kKey) out += ':';
  }

  void end_entry() {
    if (const size_t bytes = list_.compact_.size() - entry_.begin; bytes > most_) {
      ctrl::fail_json(text_, entry_.at,
                      "entry " + count_text(list_.size() + 1) + " of \"" + name_ + "\" has " +
                          count_text(bytes) + " bytes, and a request takes " + count_text(most_));
    }
    list_.ends_.push_back(list_.compact_.size());
    list_.compact_ += ',';
  }

  [[noreturn]] void not_a_list(const ctrl::JsonEvent& event) const {
    ctrl::fail_json(text_, event.raw.data(), '"' + name_ + "\" is not a list");
  }

  struct Entry {
    size_t begin = 0;          // in compact_
    const char* at = nullptr;  // in the text
  };

  JsonList& list_;
  const std::string_view text_;
  const std::string& name_;
  const size_t most_;
  bool named_ = false, inside_ = false;
  unsigned level_ = 0;  // depth of the entries
  Entry entry_;
};

JsonList::JsonList(std::string_view text, const std::string& name, size_t most) {
  compact_.reserve(text.size());
  Reader reader(*this, text, name, most);
  try {
    ctrl::read_json_events(text, kFile, [&](const auto& event) { reader.take(event); });
  } catch (const ctrl::JsonError& wrong) {
    throw Failure("line " + std::to_string(wrong.line) + ", column " +
                  std::to_string(wrong.column) + ": " + wrong.what());
  }
}

std::string_view JsonList::text(size_t begin, size_t end) const {
  if (begin >= end) return {};
  const size_t from = begin == 0 ? 0 : ends_[begin - 1] + 1;
  return std::string_view(compact_).substr(from, ends_[end - 1] - from);
}

}  // namespace wirelay::cli
