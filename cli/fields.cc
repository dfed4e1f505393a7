// Options to JSON, JSON to sentences.
#include "cli/fields.h"

#include <array>

#include "cli/errors.h"
#include "cli/format.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

constexpr uint64_t kListPage = 1000;

std::string plural(uint64_t n, const std::string& noun) {
  return count_text(n) + ' ' + noun + (n == 1 ? "" : "s");
}

}  // namespace

Json::Value number_or_text(const std::string& text) {
  const bool digits = !text.empty() && text.size() < 19 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  if (digits) return Json::UInt64{std::stoull(text)};
  return text;
}

Json::Value list_of(const std::vector<std::string>& texts) {
  Json::Value list(Json::arrayValue);
  for (const std::string& text : texts) list.append(text);
  return list;
}

std::vector<std::string> split_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> parts;
  for (const std::string& text : texts) {
    std::string part;
    for (const char c : text + ',') {
      if (c != ',') {
        if (c != ' ') part += c;
      } else if (!part.empty()) {
        parts.push_back(std::move(part));
        part.clear();
      }
    }
  }
  return parts;
}

void exclude(const Call& call, const char* option, std::initializer_list<const char*> others) {
  if (!call.has(option)) return;
  for (const char* other : others) {
    if (call.has(other)) {
      throw UsageError("--" + std::string(option) + " and --" + other + " exclude each other");
    }
  }
}

bool printed_json(Call& call, const Json::Value& result) {
  if (call.json()) call.out << ctrl::write_json_file(result);
  return call.json();
}

std::string changes_text(const Json::Value& counts) {
  std::string text;
  for (const std::string verb : {"added", "changed", "removed"}) {
    std::string part;
    for (const std::string noun : {"user", "peer"}) {
      const uint64_t n = counts[std::string(noun).append("s_").append(verb)].asUInt64();
      if (n != 0) part += (part.empty() ? "" : ", ") + plural(n, noun);
    }
    if (!part.empty()) text.append(text.empty() ? "" : "; ").append(verb).append(" ").append(part);
  }
  return text.empty() ? "nothing to change" : text;
}

void print_warnings(Call& call, const Json::Value& result) {
  for (const Json::Value& warning : result["warnings"]) {
    call.err << "warning: " << printable(warning.asString()) << '\n';
  }
}

void print_changes(Call& call, const Json::Value& result) {
  if (printed_json(call, result)) return;
  call.out << changes_text(result) << '\n';
  print_warnings(call, result);
}

void call_for_names(Call& call, const char* method) {
  Json::Value params(Json::objectValue);
  params["names"] = list_of(call.arguments());
  print_changes(call, call.relay.call(method, params));
}

void rename_one(Call& call, const char* method) {
  Json::Value params(Json::objectValue);
  params["name"] = call.arguments().at(0);
  params["to"] = call.arguments().at(1);
  print_changes(call, call.relay.call(method, params));
}

Json::Value fetch_list(Call& call, const char* method, const char* list, Json::Value params) {
  exclude(call, "json", {"names"});
  const bool all = !call.has("after") && !call.has("limit");
  if (const auto after = call.text("after")) params["after"] = *after;
  params["limit"] = Json::UInt64{call.number("limit", kListPage)};
  Json::Value result = call.relay.call(method, params);
  while (all && result["next"].isString()) {
    params["after"] = result["next"];
    Json::Value page = call.relay.call(method, params);
    for (Json::Value& entry : page[list]) result[list].append(std::move(entry));
    result["next"] = page["next"];
  }
  return result;
}

bool printed_names(Call& call, const Json::Value& entries) {
  if (!call.has("names")) return false;
  for (const Json::Value& entry : entries) call.out << printable(entry["name"].asString()) << '\n';
  return true;
}

void describe_paging(po::options_description_easy_init& add) {
  add("limit", po::value<std::string>()->value_name("N"), "at most N of them (1 to 1000)")    //
      ("after", po::value<std::string>()->value_name("NAME"), "only those behind this name")  //
      ("names", "print the names only");
}

}  // namespace wirelay::cli
