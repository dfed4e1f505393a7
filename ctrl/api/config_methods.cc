// config.reload: the configuration file, read again.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"

namespace wirelay::ctrl::api {

namespace {

Answer reload(RelayFace& relay, const Json::Value& params) {
  Params(params).finish();
  return [reload = relay.reload()]() -> std::optional<Json::Value> {
    if (!reload->done()) return std::nullopt;
    if (reload->error) std::rethrow_exception(reload->error);
    Json::Value result = to_json(*reload->result);
    result["needs_restart"] = to_json(reload->result->needs_restart);
    return result;
  };
}

constexpr std::array kMethods = {
    Method{"config.reload", reload, "{}",
           "reads the configuration file again and applies what can change live; all or nothing"},
};

}  // namespace

std::span<const Method> config_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
