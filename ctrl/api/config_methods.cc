// config.reload: the configuration file, read again.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"

namespace wirelay::ctrl::api {

namespace {

Json::Value reload(RelayFace& relay, const Json::Value& params) {
  Params(params).finish();
  const ReloadResult done = relay.reload();
  Json::Value result = to_json(done);
  result["needs_restart"] = to_json(done.needs_restart);
  return result;
}

constexpr std::array kMethods = {
    Method{"config.reload", reload, "{}",
           "reads the configuration file again and applies what can change live; all or nothing"},
};

}  // namespace

std::span<const Method> config_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
