// peer.*: users' devices.
#include <array>
#include <optional>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

namespace {

PeerPtr find_peer(RelayFace& relay, const std::string& name) {
  PeerPtr peer = relay.registry().peer(name);
  if (peer == nullptr) throw ApiError(kNotFound, "there is no peer " + in_quotes(name));
  return peer;
}

Answer add(RelayFace& relay, const Json::Value& params) {
  return apply_items(relay, "peer.add", params, "peers", read_peer);
}

Answer set(RelayFace& relay, const Json::Value& params) {
  return apply_items(relay, "peer.set", params, "peers", read_peer_change);
}

Answer remove(RelayFace& relay, const Json::Value& params) {
  return remove_named<RemovePeer>(relay, "peer.remove", params);
}

Answer get(RelayFace& relay, const Json::Value& params) {
  return peer_entry(relay, *find_peer(relay, read_only_name(params)), PresharedKey::kHide);
}

/// One more than the page holds, when there are more.
std::vector<PeerPtr> page_of(const Registry& registry, const std::optional<std::string>& user,
                             const Page& page) {
  if (!user) return registry.peers_after(page.after, page.limit + 1);
  if (registry.user(*user) == nullptr) {
    throw ApiError(kNotFound, "there is no user " + in_quotes(*user));
  }
  const auto& names = registry.peers_of(*user);
  std::vector<PeerPtr> peers;
  for (auto it = names.upper_bound(page.after); it != names.end() && peers.size() <= page.limit;
       ++it) {
    peers.push_back(registry.peer(*it));
  }
  return peers;
}

Answer list(RelayFace& relay, const Json::Value& params) {
  Params fields(params);
  const Page page = read_page(fields);
  const auto user = fields->text("user");
  const bool keys = fields->boolean("preshared_keys").value_or(false);
  fields.finish();
  const auto peers = page_of(relay.registry(), user, page);
  Json::Value result(Json::objectValue);
  Json::Value& entries = result["peers"] = Json::arrayValue;
  for (size_t i = 0; i < peers.size() && i < page.limit; ++i) {
    entries.append(peer_entry(relay, *peers[i], keys ? PresharedKey::kShow : PresharedKey::kHide));
  }
  result["next"] =
      peers.size() > page.limit ? Json::Value(peers[page.limit - 1]->name) : Json::Value();
  result["total"] =
      Json::UInt64{user ? relay.registry().peers_of(*user).size() : relay.registry().peer_count()};
  return result;
}

/// Where clients reach the relay: as configured, or else the first address it listens on.
Json::Value relay_endpoint(const Config& config) {
  if (config.public_endpoint) return *config.public_endpoint;
  if (!config.listen_addresses.empty()) {
    return to_string(dataplane::Endpoint{config.listen_addresses.front(), config.udp_port});
  }
  for (const PortConfig& port : config.ports) {
    if (!port.addresses.empty()) {
      return to_string(dataplane::Endpoint{port.addresses.front().addr, config.udp_port});
    }
  }
  return {};
}

Answer client_config(RelayFace& relay, const Json::Value& params) {
  const PeerPtr peer = find_peer(relay, read_only_name(params));
  Json::Value result = to_json(*peer, PresharedKey::kShow);
  result.removeMember("endpoint");
  result["relay"]["public_key"] = crypto::to_base64(relay.public_key());
  result["relay"]["endpoint"] = relay_endpoint(relay.config());
  Json::Value& dns = result["relay"]["dns"] = Json::arrayValue;
  for (const std::string& server : relay.config().client_dns) dns.append(server);
  return result;
}

constexpr std::array kMethods = {
    Method{"peer.add", add, R"({"peers": [PEER, ...]} or PEER)", "adds peers; all or none"},
    Method{"peer.set", set, R"({"peers": [PEER, ...]} or PEER)",
           "changes the fields that are named, live; all or none"},
    Method{"peer.remove", remove, R"({"names": [NAME, ...]} or {"name": NAME})",
           "removes peers at once; all or none"},
    Method{"peer.get", get, R"({"name": NAME})", "a peer, its endpoint, what it carried"},
    Method{"peer.list", list,
           R"({"after": NAME, "limit": 1 to 1000, "user": NAME, "preshared_keys": false})",
           "a page of peers (of one user) in the order of their names; next is null on the last"},
    Method{"peer.config", client_config, R"({"name": NAME})",
           "what the peer's own configuration needs, its preshared key among it"},
};

}  // namespace

std::span<const Method> peer_methods() { return kMethods; }

}  // namespace wirelay::ctrl::api
