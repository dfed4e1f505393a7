// Records before and after, without what did not change.
#include "ctrl/events/change_events.h"

#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "ctrl/base/json.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::events {

namespace {

/// Of a field's value as JSON; a peer may have thousands of allowed IPs.
constexpr size_t kLongest = 400;

void cut(Json::Value& object) {
  for (const std::string& name : object.getMemberNames()) {
    Json::Value& value = object[name];
    if (value.isArray() && write_json(value).size() > kLongest) {
      value = fmt::format("{} entries", value.size());
    }
  }
}

/// Leaves what differs, on both sides.
void keep_differences(Json::Value& before, Json::Value& after) {
  for (const std::string& name : before.getMemberNames()) {
    if (!after.isMember(name)) continue;
    Json::Value &was = before[name], &is = after[name];
    const bool same = was == is;
    if (!same && was.isObject() && is.isObject()) keep_differences(was, is);
    if (!same) continue;
    before.removeMember(name);
    after.removeMember(name);
  }
}

Event begin(const Asker& asker) {
  Event event;
  event.kind = Kind::kChange;
  event.fields = {{"request", asker.request}, {"origin", text_of(asker.origin)}};
  if (const auto& caller = asker.caller) {
    event.fields.push_back({"uid", uint64_t{caller->uid}});
    event.fields.push_back({"gid", uint64_t{caller->gid}});
    event.fields.push_back({"pid", static_cast<uint64_t>(caller->pid)});
  }
  return event;
}

void name(const UserSpec& user, Event& event) { event.user = user.name; }
void name(const PeerSpec& peer, Event& event) {
  event.user = peer.user;
  event.peer = peer.name;
}

/// What a change does that is not to be seen in its records.
void add_unseen(const UserEvent& change, Json::Value&, Json::Value& after) {
  if (change.quota_reset) after["quota"] = "reset";
}
void add_unseen(const PeerEvent&, Json::Value& before, Json::Value& after) {
  if (before.empty() && after.empty()) after["preshared_key"] = "another";  // all else is shown
}

template <typename Change>
Event event_of(const Asker& asker, const Change& change) {
  Event event = begin(asker);
  name(change.after ? *change.after : *change.before, event);
  const std::string_view what = !change.before ? "added" : !change.after ? "removed" : "changed";
  event.fields.push_back({"change", what});
  Json::Value before = change.before ? shown(*change.before) : Json::Value(Json::objectValue);
  Json::Value after = change.after ? shown(*change.after) : Json::Value(Json::objectValue);
  keep_differences(before, after);
  add_unseen(change, before, after);
  for (auto* side : {&before, &after}) cut(*side);
  if (change.before) event.fields.push_back({"before", JsonText{write_json(before)}});
  if (change.after) event.fields.push_back({"after", JsonText{write_json(after)}});
  return event;
}

size_t records(const ChangeCounts& counts) {
  return counts.users_added + counts.users_changed + counts.users_removed + counts.peers_added +
         counts.peers_changed + counts.peers_removed;
}

}  // namespace

std::vector<Event> change_events(const Asker& asker, const ChangeOutcome& outcome) {
  std::vector<Event> result;
  for (const ChangeEvent& change : outcome.changes) {
    result.push_back(std::visit([&](const auto& c) { return event_of(asker, c); }, change));
  }
  if (const size_t all = records(outcome.counts); all > result.size()) {
    Event rest = begin(asker);
    rest.fields.push_back({"more", all - result.size()});
    result.push_back(std::move(rest));
  }
  return result;
}

}  // namespace wirelay::ctrl::events
