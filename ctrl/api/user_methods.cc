// user.*: accounts and their limits.
#include <algorithm>
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

namespace {

/// A user's status sums up its peers: a page of users ends behind so many of them.
constexpr size_t kMaxPagePeers = 20'000;

Answer add(RelayFace& relay, const Json::Value& params) {
  return apply_items(relay, "user.add", params, "users", read_user);
}

Answer set(RelayFace& relay, const Json::Value& params) {
  return apply_items(relay, "user.set", params, "users", read_user_change);
}

Answer remove(RelayFace& relay, const Json::Value& params) {
  return remove_named<RemoveUser>(relay, "user.remove", params);
}

Answer get(RelayFace& relay, const Json::Value& params) {
  const std::string name = read_only_name(params);
  const UserPtr user = relay.registry().user(name);
  if (user == nullptr) throw ApiError(kNotFound, "there is no user " + in_quotes(name));
  Json::Value result = user_entry(relay, *user);
  Json::Value& peers = result["peers"] = Json::arrayValue;
  for (const std::string& peer : relay.registry().peers_of(name)) {
    if (peers.size() == kMaxPage) {
      result["peers_next"] = peers[peers.size() - 1]["name"];  // peer.list goes on from there
      break;
    }
    peers.append(peer_entry(relay, *relay.registry().peer(peer), PresharedKey::kHide));
  }
  return result;
}

Answer list(RelayFace& relay, const Json::Value& params) {
  Params fields(params);
  const auto [after, limit] = read_page(fields);
  fields.finish();
  const auto users = relay.registry().users_after(after, limit + 1);
  Json::Value result(Json::objectValue);
  Json::Value& entries = result["users"] = Json::arrayValue;
  size_t shown = 0;
  for (size_t peers = 0; shown < std::min(users.size(), limit) && peers < kMaxPagePeers; ++shown) {
    entries.append(user_entry(relay, *users[shown]));
    peers += relay.registry().peers_of(users[shown]->name).size();
  }
  result["next"] = users.size() > shown ? Json::Value(users[shown - 1]->name) : Json::Value();
  result["total"] = Json::UInt64{relay.registry().user_count()};
  return result;
}

constexpr std::array kMethods = {
    Method{"user.add", add, R"({"users": [USER, ...]} or USER)",
           "adds users, with their peers; all or none"},
    Method{"user.set", set, R"({"users": [USER, ...]} or USER)",
           "changes the fields that are named, live; all or none"},
    Method{"user.remove", remove, R"({"names": [NAME, ...]} or {"name": NAME})",
           "removes users and their peers at once; all or none"},
    Method{"user.get", get, R"({"name": NAME})", "a user, its peers, what it carried"},
    Method{"user.list", list, R"({"after": NAME, "limit": 1 to 1000})",
           "a page of users in the order of their names; next is null on the last"},
};

}  // namespace

std::span<const Method> user_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
