// config.reload: the configuration file, read again.
#include <array>
#include <memory>
#include <optional>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"

namespace wirelay::ctrl::api {

namespace {

Answer reload(RelayFace& relay, const Json::Value& params) {
  Params(params).finish();
  const auto pending = std::make_shared<std::optional<ReloadOutcome>>();
  relay.reload({}, [pending](const ReloadOutcome& outcome) { *pending = outcome; });
  return [pending]() -> std::optional<Json::Value> {
    if (!*pending) return std::nullopt;
    const ReloadOutcome& outcome = **pending;
    if (outcome.error) std::rethrow_exception(outcome.error);
    Json::Value result = to_json(outcome.counts);
    result["needs_restart"] = to_json(outcome.needs_restart);
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
