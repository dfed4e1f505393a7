// Fuzzes relayctl's cutting of a file into requests: what it takes, the relay takes as well, and
// reads the same entries as a reader of the whole file. Else a mistake far into a file would be
// found when most of it is done.
#include <cstdlib>

#include "cli/errors.h"
#include "cli/json_list.h"
#include "ctrl/base/json.h"

using namespace wirelay;

namespace {

constexpr size_t kMost = 4096;
constexpr unsigned kRelayDepth = 32;

/// The list as a reader finds it who keeps values.
Json::Value read_whole(std::string_view text) {
  const Json::Value file = ctrl::parse_json(text, {text.size(), kRelayDepth, true});
  const Json::Value& list = file.isObject() ? file["users"] : file;
  return list.isNull() ? Json::Value(Json::arrayValue) : list;
}

/// The list as the relay finds it in a request.
Json::Value read_request(std::string_view entries) {
  if (entries.find_first_of("\r\n") != entries.npos) std::abort();  // a request is a line
  const std::string request = R"({"params":{"users":[)" + std::string(entries) + "]}}";
  return ctrl::parse_json(request, {request.size(), kRelayDepth})["params"]["users"];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const cli::JsonList list(text, "users", kMost);
    const Json::Value expected = read_whole(text);  // throws, and so aborts, when it is none
    if (expected.size() != list.size()) std::abort();
    if (read_request(list.text(0, list.size())) != expected) std::abort();
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string_view entry = list.text(i, i + 1);
      const auto n = static_cast<Json::ArrayIndex>(i);
      if (entry.size() > kMost || read_request(entry)[0] != expected[n]) std::abort();
    }
  } catch (const cli::Failure& failure) {
    if (!std::string_view(failure.what()).starts_with("line ")) std::abort();
  }
  return 0;
}
