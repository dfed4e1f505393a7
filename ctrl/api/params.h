// What the methods' parameters have in common.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <json/value.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/base/problem.h"

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

/// Calls `read` for each thing that `params` tells of, with its place: for each entry of its list
/// `list` ({"users": [...]}), or for `params` itself. Throws Refused when any was wrong.
using ReadItem = std::function<void(const Json::Value&, const Place&, std::vector<Problem>&)>;
void read_items(const Json::Value& params, const char* list, const ReadItem& read);
/// The names in {"names": [...]} or {"name": ...}, with their paths.
struct Named {
  std::string name, path;
};
std::vector<Named> read_names(const Json::Value& params);

}  // namespace wirelay::ctrl::api
