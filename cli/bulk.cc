// Splitting a file into requests below the API's line limit.
#include "cli/bulk.h"

#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/json_list.h"

namespace wirelay::cli {

namespace {

constexpr size_t kOverhead = 200;  // of the request around its list
/// Smaller than it could be: the relay's other work waits for no more than one of them.
constexpr size_t kRequestBytes = size_t{256} << 10;
constexpr size_t kMostBytes = kMaxRequest - kOverhead;  // of a list that fits into one request

class Upload {
 public:
  Upload(Call& call, const char* method, const char* list, const JsonList& items)
      : call_(call), method_(method), list_(list), items_(items) {}

  /// From the entry `begin` on. All in one request when the list fits into one.
  Json::Value run(size_t begin) {
    const bool whole = items_.text(0, items_.size()).size() <= kMostBytes;
    const size_t most = whole ? kMostBytes : kRequestBytes - kOverhead;
    while (begin < items_.size()) {
      size_t end = begin + 1;
      while (end < items_.size() && items_.text(begin, end + 1).size() <= most) ++end;
      send(begin, end);
      begin = end;
    }
    return sum_;
  }

 private:
  void send(size_t begin, size_t end) {
    std::string params = std::string("{\"") + list_ + "\":[";
    params.append(items_.text(begin, end)).append("]}");
    try {
      const Json::Value done = call_.relay.call_text(method_, params);
      add(done);
    } catch (const RelayRefused& refused) {
      if (end - begin == items_.size()) throw;  // one request: nothing was changed
      throw RelayRefused(refused.error, stopped(begin, end - begin));
    } catch (const Unreachable& lost) {
      throw Unreachable(std::string(lost.what()) + "; " + stopped(begin, end - begin));
    }
  }

  /// Sums counts up; warnings follow one another.
  void add(const Json::Value& done) {
    for (const std::string& name : done.getMemberNames()) {
      if (done[name].isArray()) {
        for (const Json::Value& entry : done[name]) sum_[name].append(entry);
      } else {
        sum_[name] = sum_[name].asUInt64() + done[name].asUInt64();
      }
    }
  }

  /// The request as a whole was refused: paths in its problems count from its first entry.
  std::string stopped(size_t begin, size_t n) const {
    const std::string all = std::string(list_) + ' ';
    return "stopped at " + all + count_text(begin + 1) + " to " + count_text(begin + n) + " of " +
           count_text(items_.size()) +
           "; done before: " + (sum_.empty() ? "nothing" : changes_text(sum_)) +
           ". Go on with --first " + std::to_string(begin + 1);
  }

  Call& call_;
  const char* method_;
  const char* list_;
  const JsonList& items_;
  Json::Value sum_{Json::objectValue};
};

void send_all(Call& call, const char* method, const char* list, const JsonList& items) {
  const uint64_t first = call.number("first", 1);
  if (first < 1 || first > items.size()) {
    throw UsageError("--first: expected 1 to " + std::to_string(items.size()));
  }
  print_changes(call, Upload(call, method, list, items).run(first - 1));
}

/// The whole file is checked here, before any of it is sent.
JsonList read_list(Call& call, const std::string& path, const char* list) {
  const std::string text = read_file(path, call.in);
  try {
    JsonList items(text, list, kMostBytes);
    if (items.size() == 0) {
      throw Failure(std::string("expected {\"") + list + "\": [...]} with at least one entry");
    }
    return items;
  } catch (const Failure& wrong) {
    throw Failure(file_name(path) + ": " + wrong.what());
  }
}

}  // namespace

void describe_bulk(po::options_description_easy_init& add, const char* text) {
  add("file", po::value<std::string>()->value_name("FILE"), text)  //
      ("first", po::value<std::string>()->value_name("N"),
       "with --file: begin with the Nth, after a refusal of a large file");
}

void check_no_file(const Call& call) {
  if (call.has("first")) throw UsageError("--first goes with --file only");
}

void add_texts(Call& call, const char* method, const char* list, const std::string& text) {
  send_all(call, method, list, JsonList(text, list, kMostBytes));
}

void add_from_file(Call& call, const char* method, const char* list) {
  if (!call.arguments().empty()) throw UsageError("either names or --file, not both");
  send_all(call, method, list, read_list(call, *call.text("file"), list));
}

}  // namespace wirelay::cli
