// Users and peers as JSON: the one form that configuration, API and export share.
//
//   USER = {"name", the fields of ctrl/base/user_fields.h, "peers": [PEER]}
//   PEER = {"name", "user", the fields of ctrl/base/peer_fields.h}     "user" not within a USER
//
// Readers note what is wrong with a path that begins with `place`, and read on until there are
// enough() problems; the result is usable only when nothing was noted. Names are checked by the
// Registry.
#pragma once

#include <string>
#include <vector>

#include <json/value.h>

#include "ctrl/base/problem.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

/// The steps that add one USER and its peers, each with its path.
void read_user(const Json::Value& value, const Place& place, std::vector<Step>& steps,
               std::vector<Problem>& problems);
/// The step that adds one PEER, with "user".
void read_peer(const Json::Value& value, const Place& place, std::vector<Step>& steps,
               std::vector<Problem>& problems);

/// The step that changes the fields that are named. A user's limits are merged field by field;
/// {"preshared_key": ""} takes the key away, {"endpoint": ""} the endpoint.
void read_user_change(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                      std::vector<Problem>& problems);
void read_peer_change(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                      std::vector<Problem>& problems);

/// The step that gives a peer other keys.
void read_rotation(const Json::Value& value, const Place& place, std::vector<Step>& steps,
                   std::vector<Problem>& problems);

/// What the readers above read back as the same. A peer's preshared key is written only when asked
/// for: exports need it, lists do not show it.
Json::Value to_json(const UserSpec& user);
enum class PresharedKey { kHide, kShow };
Json::Value to_json(const PeerSpec& peer, PresharedKey preshared_key);

/// For people who may not see secrets: which there are, but not what they are.
Json::Value shown(const UserSpec& user);
Json::Value shown(const PeerSpec& peer);

}  // namespace wirelay::ctrl
