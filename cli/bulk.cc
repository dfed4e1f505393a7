// Splitting a file into requests below the API's line limit.
#include "cli/bulk.h"

#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/json_text.h"

namespace wirelay::cli {

namespace {

constexpr size_t kOverhead = 200;  // of the request around its list
/// Smaller than it could be: the relay's other work waits for no more than one of them.
constexpr size_t kRequestBytes = size_t{256} << 10;

class Upload {
 public:
  Upload(Call& call, const char* method, const char* list, const Json::Value& items, size_t first)
      : call_(call), method_(method), list_(list), items_(items), first_(first) {}

  /// All in one request when it fits.
  Json::Value run() {
    size_t total = 0;
    std::vector<size_t> sizes;
    for (const Json::Value& item : items_) {
      sizes.push_back(to_line(item).size() + 1);
      total += sizes.back();
    }
    const size_t most = total + kOverhead <= kMaxRequest ? kMaxRequest : kRequestBytes;
    Json::Value batch(Json::arrayValue);
    size_t bytes = kOverhead, begin = first_ - 1;
    for (Json::ArrayIndex i = static_cast<Json::ArrayIndex>(begin); i < items_.size(); ++i) {
      if (bytes + sizes[i] > most && !batch.empty()) {
        send(batch, begin);
        begin = i;
        bytes = kOverhead;
      }
      batch.append(items_[i]);
      bytes += sizes[i];
    }
    if (!batch.empty()) send(batch, begin);
    return counts_;
  }

 private:
  void send(Json::Value& batch, size_t begin) {
    Json::Value params(Json::objectValue);
    const size_t n = batch.size();
    params[list_].swap(batch);
    batch = Json::arrayValue;
    try {
      const Json::Value done = call_.relay.call(method_, params);
      for (const std::string& name : done.getMemberNames()) {
        counts_[name] = counts_[name].asUInt64() + done[name].asUInt64();
      }
    } catch (const RelayRefused& refused) {
      if (n == items_.size()) throw;  // one request: nothing was changed
      throw RelayRefused(refused.error, stopped(begin, n));
    } catch (const Unreachable& lost) {
      throw Unreachable(std::string(lost.what()) + "; " + stopped(begin, n));
    }
  }

  /// The request as a whole was refused: paths in its problems count from its first entry.
  std::string stopped(size_t begin, size_t n) const {
    const std::string all = std::string(list_) + ' ';
    return "stopped at " + all + count_text(begin + 1) + " to " + count_text(begin + n) + " of " +
           count_text(items_.size()) +
           "; done before: " + (counts_.empty() ? "nothing" : changes_text(counts_)) +
           ". Go on with --first " + std::to_string(begin + 1);
  }

  Call& call_;
  const char* method_;
  const char* list_;
  const Json::Value& items_;
  size_t first_;
  Json::Value counts_{Json::objectValue};
};

}  // namespace

void describe_bulk(po::options_description_easy_init& add, const char* text) {
  add("file", po::value<std::string>()->value_name("FILE"), text)  //
      ("first", po::value<std::string>()->value_name("N"),
       "with --file: begin with the Nth, after a refusal of a large file");
}

void add_from_file(Call& call, const char* method, const char* list) {
  if (!call.arguments().empty()) throw UsageError("either names or --file, not both");
  const std::string path = *call.text("file");
  const Json::Value content = parse(read_file(path, call.in));
  const Json::Value& items = content.isObject() ? content[list] : content;
  if (!items.isArray() || items.empty()) {
    throw Failure(path + ": expected {\"" + list + "\": [...]} with at least one entry");
  }
  const uint64_t first = call.number("first", 1);
  if (first < 1 || first > items.size()) {
    throw UsageError("--first: expected 1 to " + std::to_string(items.size()));
  }
  print_changes(call, Upload(call, method, list, items, first).run());
}

}  // namespace wirelay::cli
