// The parts of results that several methods share.
#pragma once

#include <vector>

#include <json/value.h>

#include "ctrl/relay_face.h"
#include "ctrl/spec_json.h"

namespace wirelay::ctrl::api {

/// Applies the steps, all or none, and counts what they did, as config.reload does:
/// {"users_added", "users_changed", "users_removed", "peers_added", ...}.
Json::Value apply_steps(RelayFace& relay, const std::vector<Step>& steps);
Json::Value to_json(const ReloadResult& counts);

/// USER and what it carried, under "status".
Json::Value user_entry(RelayFace& relay, const UserSpec& user);
/// PEER with "user", and what it carried, under "status".
Json::Value peer_entry(RelayFace& relay, const PeerSpec& peer, PresharedKey preshared_key);

Json::Value ports_json(const RelayFace& relay);
/// By worker: core, polls, packets. In the order of relay.workers().
Json::Value workers_json(const RelayFace& relay);

/// For lists of texts, such as names.
Json::Value to_json(const std::vector<std::string>& texts);

inline Json::Value count(uint64_t n) { return Json::Value(Json::UInt64{n}); }

}  // namespace wirelay::ctrl::api
