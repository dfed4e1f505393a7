// All methods, by name, and the method that lists them.
#include <algorithm>
#include <array>
#include <vector>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/base/closest_word.h"
#include "ctrl/base/json_reader.h"

namespace wirelay::ctrl::api {

namespace {

const std::vector<Method>& table() {
  static const std::vector<Method> kTable = [] {
    std::vector<Method> all;
    for (const auto& noun : {status_methods(), user_methods(), peer_methods(), port_methods(),
                             nat_methods(), stats_methods(), usage_methods(), event_methods(),
                             store_methods(), config_methods(), relay_methods(), api_methods()}) {
      all.insert(all.end(), noun.begin(), noun.end());
    }
    return all;
  }();
  return kTable;
}

Begun list_methods(const Json::Value& params) {
  Params reader(params);
  reader.finish();
  Json::Value result(Json::objectValue);
  for (const Method& method : table()) {
    Json::Value& entry = result["methods"].append(Json::objectValue);
    entry["name"] = std::string(method.name);
    entry["params"] = std::string(method.params);
    entry["text"] = std::string(method.text);
  }
  return result;
}

constexpr std::array kApiMethods = {
    Method{"api.methods", list_methods, "{}", "what can be called, and with what"},
};

}  // namespace

std::span<const Method> api_methods() { return kApiMethods; }

const Method& find_method(std::string_view name) {
  const auto found = std::ranges::find(table(), name, &Method::name);
  if (found != table().end()) return *found;
  std::vector<std::string_view> names;
  for (const Method& method : table()) names.push_back(method.name);
  std::string message = "there is no method " + in_quotes(name);
  if (const auto meant = did_you_mean(name, names)) {
    message += "; did you mean " + in_quotes(*meant) + "?";
  } else {
    message += "; api.methods lists them";
  }
  throw ApiError(kMethodNotFound, message);
}

}  // namespace wirelay::ctrl::api
