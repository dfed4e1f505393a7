// What the methods' parameters have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <json/value.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/base/problem.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl::api {

/// Most entries in one reply; more are asked for by pages.
inline constexpr uint64_t kMaxPage = 1000;
inline constexpr uint64_t kDefaultPage = 100;

/// The fields of "params"; finish() throws Refused when anything was wrong with them.
class Params {
 public:
  explicit Params(const Json::Value& params) : fields_(params, "params", problems_) {}
  ObjectReader& operator*() { return fields_; }
  ObjectReader* operator->() { return &fields_; }
  void finish();

 private:
  std::vector<Problem> problems_;
  ObjectReader fields_;
};

struct Page {
  std::string after;  // the last name of the page before, or ""
  size_t limit;
};
/// Reads "after" and "limit".
Page read_page(Params& params);
/// Reads "name", which must be there, and nothing else.
std::string read_only_name(const Json::Value& params);

/// Reads one thing at its place into steps.
using ReadSteps = void (*)(const Json::Value&, const Place&, std::vector<Step>&,
                           std::vector<Problem>&);
/// The steps of all things that `params` tells of: of each entry of its list `list`
/// ({"users": [...]}), or of `params` itself. Throws Refused when any was wrong.
std::vector<Step> read_steps(const Json::Value& params, const char* list, ReadSteps read);

/// The names in {"names": [...]} or {"name": ...}, with their paths.
struct Named {
  std::string name, path;
};
std::vector<Named> read_names(const Json::Value& params);
/// {"name": NAME, "to": NAME}, or a list of these under `list`.
std::vector<Renaming> read_renamings(const Json::Value& params, const char* list);
/// A step `Remove` for each of them.
template <typename Remove>
std::vector<Step> read_removals(const Json::Value& params) {
  std::vector<Step> steps;
  for (Named& named : read_names(params)) {
    steps.push_back({Remove{std::move(named.name)}, std::move(named.path)});
  }
  return steps;
}

}  // namespace wirelay::ctrl::api
