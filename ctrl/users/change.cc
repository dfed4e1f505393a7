// Events summed up: as numbers, and as lines for people.
#include "ctrl/users/change.h"

#include <set>
#include <string_view>
#include <type_traits>

#include "ctrl/base/json.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl {

namespace {

/// " limits.up.rate: "20M" to "50M"" for each field that differs.
void describe_fields(const Json::Value& before, const Json::Value& after, const std::string& path,
                     std::string& out) {
  if (before == after) return;
  if (!before.isObject() || !after.isObject()) {
    out +=
        (out.empty() ? " " : ", ") + path + ": " + write_json(before) + " to " + write_json(after);
    return;
  }
  std::set<std::string> names;
  for (const auto* side : {&before, &after}) {
    const auto members = side->getMemberNames();
    names.insert(members.begin(), members.end());
  }
  for (const std::string& name : names) {
    describe_fields(before[name], after[name], path.empty() ? name : path + '.' + name, out);
  }
}

template <typename Event>
void describe(const char* noun, const Event& event, std::vector<std::string>& lines) {
  const auto &before = event.before, &after = event.after;
  const std::string name = noun + (after ? after : before)->name;
  if (!before) {
    lines.push_back("+ " + name);
  } else if (!after) {
    lines.push_back("- " + name);
  } else {
    std::string fields;
    describe_fields(shown(*before), shown(*after), "", fields);
    if (fields.empty()) fields = " preshared_key: another";  // all else is shown
    lines.push_back("~ " + name + ":" + fields);
  }
}

void describe(const PeerEvent& event, std::vector<std::string>& lines) {
  if (event.timestamp_forgotten) {
    lines.push_back("~ peer " + event.after->name + ": timestamp forgotten");
  } else {
    describe("peer ", event, lines);
  }
}

void describe(const UserEvent& event, std::vector<std::string>& lines) {
  if (event.quota_reset) {
    lines.push_back("~ user " + event.after->name + ": quota reset");
  } else {
    describe("user ", event, lines);
  }
}

bool is_reset(const UserEvent& event) { return event.quota_reset; }
bool is_reset(const PeerEvent& event) { return event.timestamp_forgotten; }

std::string_view of_user(const UserSpec&) { return {}; }
std::string_view of_user(const PeerSpec& peer) { return peer.user; }

/// Who is changed, whatever the name.
void note(const UserSpec& user, std::set<uint64_t>& users, std::set<crypto::PublicKey>&) {
  users.insert(user.id);
}
void note(const PeerSpec& peer, std::set<uint64_t>&, std::set<crypto::PublicKey>& peers) {
  peers.insert(peer.public_key);
}

}  // namespace

bool tells(const ChangeEvent& event) {
  return std::visit(
      [](const auto& e) {
        if (!e.before || !e.after || is_reset(e)) return true;
        return e.before != e.after && e.after->name != passing_name(e.before->name) &&
               of_user(*e.before) == of_user(*e.after);
      },
      event);
}

ChangeEvent reversed(const ChangeEvent& event) {
  return std::visit(
      [](const auto& e) -> ChangeEvent {
        return std::decay_t<decltype(e)>{e.after, e.before};
      },
      event);
}

ChangeCounts count(const std::vector<ChangeEvent>& events) {
  ChangeCounts counts;
  std::set<uint64_t> changed_users;
  std::set<crypto::PublicKey> changed_peers;
  for (const ChangeEvent& event : events) {
    if (!tells(event)) continue;
    std::visit(
        [&](const auto& e) {
          constexpr bool kUser = std::is_same_v<std::decay_t<decltype(e)>, UserEvent>;
          if (!e.before) {
            ++(kUser ? counts.users_added : counts.peers_added);
          } else if (!e.after) {
            ++(kUser ? counts.users_removed : counts.peers_removed);
          } else {
            note(*e.after, changed_users, changed_peers);
          }
        },
        event);
  }
  counts.users_changed = changed_users.size();
  counts.peers_changed = changed_peers.size();
  return counts;
}

std::vector<ChangeEvent> first_changes(const std::vector<ChangeEvent>& events) {
  std::vector<ChangeEvent> first;
  for (const ChangeEvent& event : events) {
    if (first.size() == kMostChangesTold) break;
    if (tells(event)) first.push_back(event);
  }
  return first;
}

std::vector<std::string> describe(const std::vector<ChangeEvent>& events) {
  std::vector<std::string> lines;
  for (const ChangeEvent& event : events) {
    if (lines.size() == kMaxDescribed) break;
    if (!tells(event)) continue;
    if (const auto* user = std::get_if<UserEvent>(&event)) {
      describe(*user, lines);
    } else {
      describe(std::get<PeerEvent>(event), lines);
    }
  }
  return lines;
}

}  // namespace wirelay::ctrl
