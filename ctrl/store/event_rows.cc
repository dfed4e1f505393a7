// An event's fields are one JSON object; what else there is of it has columns.
#include "ctrl/store/event_rows.h"

#include <algorithm>
#include <string_view>

#include "ctrl/base/json.h"
#include "ctrl/base/now.h"
#include "ctrl/events/render.h"

namespace wirelay::ctrl {

namespace {

using events::Event;
using events::kKinds;

/// The name as the list of kinds has it, which lives as long as the program; "" for none of its.
std::string_view known(const events::KindInfo& kind, const std::string& name) {
  for (size_t at = 0; at < kind.fields.size();) {
    const size_t end = std::min(kind.fields.find(", ", at), kind.fields.size());
    const std::string_view field = kind.fields.substr(at, end - at);
    if (field == name) return field;
    at = end + 2;
  }
  return {};
}

std::vector<events::Field> fields_of(const events::KindInfo& kind, const Json::Value& json) {
  std::vector<events::Field> fields;
  for (const std::string& name : json.getMemberNames()) {
    const std::string_view field = known(kind, name);
    if (!field.empty()) fields.push_back({field, events::JsonText{write_json(json[name])}});
  }
  return fields;
}

}  // namespace

EventRows::EventRows(Database& database)
    : add_(database.prepare(
          "INSERT OR REPLACE INTO events(number, unix_ns, kind, user, peer, fields)"
          " VALUES(?, ?, ?, ?, ?, ?)")),
      forget_(
          database.prepare("DELETE FROM events WHERE number <="
                           " (SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET ?)")),
      forget_old_(database.prepare("DELETE FROM events WHERE unix_ns < ?")) {}

void EventRows::add(const Event& event) {
  Json::Value json = events::to_json(event);
  for (const char* column : {"kind", "number", "time", "user", "peer"}) json.removeMember(column);
  const std::string fields = write_json(json);
  add_.bind(1, static_cast<int64_t>(event.number));
  add_.bind(2, static_cast<int64_t>(event.unix_ns));
  add_.bind(3, info(event.kind).name);
  add_.bind(4, std::string_view(event.user));
  add_.bind(5, std::string_view(event.peer));
  add_.bind(6, std::string_view(fields));
  add_.run();
}

void EventRows::prune(uint64_t now) {
  constexpr uint64_t kHourSeconds = 3600;
  if (pruned_ == now / kHourSeconds) return;
  pruned_ = now / kHourSeconds;
  forget_.bind(1, kMost);
  forget_.run();
  forget_old_.bind(1, static_cast<int64_t>((now - std::min(now, kSecondsKept)) * kNsPerSecond));
  forget_old_.run();
}

std::vector<Event> EventRows::last(const Database& database, size_t most) {
  Statement row = database.prepare(
      "SELECT number, unix_ns, kind, user, peer, fields FROM events ORDER BY number DESC LIMIT ?");
  row.bind(1, static_cast<int64_t>(most));
  std::vector<Event> result;
  while (row.step()) {
    const auto kind = std::ranges::find(kKinds, row.text(2), &events::KindInfo::name);
    if (kind == kKinds.end()) continue;  // of another version
    Event& event = result.emplace_back();
    event.kind = kind->kind;
    event.number = static_cast<uint64_t>(row.number(0));
    event.unix_ns = static_cast<uint64_t>(row.number(1));
    event.user = row.text(3);
    event.peer = row.text(4);
    event.fields = fields_of(*kind, parse_json(std::string(row.text(5)), {}));
  }
  std::ranges::reverse(result);
  return result;
}

}  // namespace wirelay::ctrl
