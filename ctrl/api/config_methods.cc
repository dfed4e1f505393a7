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
  Params fields(params);
  const ReloadOptions options{.dry_run = fields->boolean("dry_run").value_or(false),
                              .force = fields->boolean("force").value_or(false)};
  fields.finish();
  const auto pending = std::make_shared<std::optional<ReloadOutcome>>();
  relay.reload(options, [pending](const ReloadOutcome& outcome) { *pending = outcome; });
  return [pending, dry_run = options.dry_run]() -> std::optional<Json::Value> {
    if (!*pending) return std::nullopt;
    const ReloadOutcome& outcome = **pending;
    if (outcome.error) std::rethrow_exception(outcome.error);
    Json::Value result = to_json(outcome.counts);
    result["needs_restart"] = to_json(outcome.needs_restart);
    if (dry_run) result["difference"] = to_json(outcome.difference);
    return result;
  };
}

constexpr std::array kMethods = {
    Method{"config.reload", reload, R"({"dry_run": false, "force": false})",
           "reads the configuration file again and applies what can change live; all or nothing"},
};

}  // namespace

std::span<const Method> config_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
