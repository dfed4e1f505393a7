// Events for programs.
#include "ctrl/events/render.h"

#include <ctime>

#include <fmt/format.h>

#include "ctrl/base/json.h"
#include "ctrl/base/now.h"

namespace wirelay::ctrl::events {

namespace {

struct ValueJson {
  Json::Value operator()(uint64_t n) const { return Json::UInt64{n}; }
  Json::Value operator()(std::string_view text) const {
    return {text.data(), text.data() + text.size()};
  }
  Json::Value operator()(const std::string& text) const { return text; }
  Json::Value operator()(const dataplane::Endpoint& endpoint) const { return to_string(endpoint); }
  Json::Value operator()(const JsonText& json) const { return parse_json(json.text, {}); }
};

}  // namespace

std::string time_text(uint64_t unix_ns) {
  constexpr uint64_t kNsPerMs = 1'000'000;
  const auto seconds = static_cast<time_t>(unix_ns / kNsPerSecond);
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     unix_ns % kNsPerSecond / kNsPerMs);
}

Json::Value to_json(const Event& event) {
  Json::Value value(Json::objectValue);
  value["kind"] = ValueJson{}(info(event.kind).name);
  value["number"] = Json::UInt64{event.number};
  value["time"] = time_text(event.unix_ns);
  if (!event.user.empty()) value["user"] = event.user;
  if (!event.peer.empty()) value["peer"] = event.peer;
  for (const Field& field : event.fields) {
    Json::Value* at = value.demand(field.name.data(), field.name.data() + field.name.size());
    *at = std::visit(ValueJson{}, field.value);
  }
  return value;
}

}  // namespace wirelay::ctrl::events
