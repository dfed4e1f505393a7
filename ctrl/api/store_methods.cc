// store.*: what the relay keeps.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"

namespace wirelay::ctrl::api {

namespace {

Begun back_up(const Json::Value& params) {
  Params fields(params);
  fields->require("file", "the name of a file, from the root");
  std::string file = fields->text("file").value_or("");
  if (!file.empty() && file.front() != '/') {
    fields->problem("file", "found " + in_quotes(file) + ", expected a path from the root");
  }
  fields.finish();
  return BackupRequest{std::move(file)};
}

constexpr std::array kStoreMethods = {
    Method{"store.backup", back_up, R"({"file": FILE})",
           "writes a copy of the store to a new file, on the relay's machine, while it runs"},
};

}  // namespace

std::span<const Method> store_methods() { return kStoreMethods; }

}  // namespace wirelay::ctrl::api
