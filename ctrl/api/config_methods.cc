// config.reload: the configuration file, read again.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"

namespace wirelay::ctrl::api {

namespace {

Begun reload(const Json::Value& params) {
  Params fields(params);
  const ReloadOptions options{.dry_run = fields->boolean("dry_run").value_or(false),
                              .force = fields->boolean("force").value_or(false)};
  fields.finish();
  return options;
}

constexpr std::array kConfigMethods = {
    Method{"config.reload", reload, R"({"dry_run": false, "force": false})",
           "reads the configuration file again and applies what can change live; all or nothing"},
};

}  // namespace

std::span<const Method> config_methods() { return kConfigMethods; }

}  // namespace wirelay::ctrl::api
