// events.*: what happened, and what happens.
#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"

namespace wirelay::ctrl::api {

namespace {

constexpr uint64_t kMostNumber = uint64_t{1} << 53;  // that programs read without loss

events::Filter read_filter(Params& params) {
  events::Filter filter;
  filter.user = params->text("user");
  const std::vector<std::string> kinds = params->texts("kinds");
  for (size_t i = 0; i < kinds.size(); ++i) {
    const auto found = std::ranges::find(events::kKinds, kinds[i], &events::KindInfo::name);
    if (found != events::kKinds.end()) {
      filter.kinds.set(static_cast<size_t>(found->kind));
    } else {
      params->problem(fmt::format("kinds[{}]", i),
                      fmt::format("there are no events of kind {}", in_quotes(kinds[i])));
    }
  }
  return filter;
}

Begun list_events(const Json::Value& params) {
  Params fields(params);
  EventsRequest request{.filter = read_filter(fields)};
  request.since = fields->number("since", 0, kMostNumber).value_or(0);
  request.limit = fields->number("limit", 1, kMaxPage).value_or(kDefaultPage);
  fields.finish();
  return request;
}

Begun subscribe(const Json::Value& params) {
  Params fields(params);
  EventsRequest request{.filter = read_filter(fields)};
  request.since = fields->number("since", 0, kMostNumber);
  request.follow = true;
  fields.finish();
  return request;
}

constexpr std::array kEventMethods = {
    Method{"events.list", list_events,
           R"({"since": NUMBER, "limit": 1 to 1000, "user": NAME, "kinds": [KIND, ...]})",
           "events that are kept, the oldest first; next is null when there are no more"},
    Method{"events.subscribe", subscribe,
           R"({"since": NUMBER, "user": NAME, "kinds": [KIND, ...]})",
           "from now on, on this connection, each event as a notification"},
};

}  // namespace

std::span<const Method> event_methods() { return kEventMethods; }

}  // namespace wirelay::ctrl::api
