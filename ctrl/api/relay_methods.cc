// relay.*: what is done with the relay itself.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/service/drain.h"

namespace wirelay::ctrl::api {

namespace {

constexpr uint64_t kDrainSeconds = 300;

Begun drain(const Json::Value& params) {
  Params fields(params);
  const uint64_t seconds = fields->number("timeout", 0, kMostDrainSeconds).value_or(kDrainSeconds);
  fields.finish();
  return DrainRequest{seconds};
}

constexpr std::array kRelayMethods = {
    Method{"relay.drain", drain, R"({"timeout": 300})",
           "takes no new sessions; the relay ends with the last one, or after so many seconds"},
};

}  // namespace

std::span<const Method> relay_methods() { return kRelayMethods; }

}  // namespace wirelay::ctrl::api
