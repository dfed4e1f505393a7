// Users and peers as the operator describes them: what configuration, API and export share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/keys.h"
#include "dataplane/ip.h"
#include "dataplane/tables/user.h"

namespace wirelay::ctrl {

/// Who made a record, and whose it is: a reload touches the file's only.
enum class Origin : uint8_t { kFile, kApi };

/// A name: 1 to 64 of letters, digits and ". _ - @ +". Unique among users, or among peers.
struct UserSpec {
  std::string name;
  dataplane::UserLimits limits;
  uint32_t max_peers = 0;  // 0: no limit
  bool enabled = true;     // a disabled user's peers neither shake hands nor carry packets
  Origin origin = Origin::kApi;
};

struct PeerSpec {
  std::string name;
  std::string user;
  crypto::PublicKey public_key{};
  std::optional<crypto::Secret> preshared_key;
  std::vector<dataplane::Prefix> allowed_ips;
  std::optional<dataplane::Endpoint> endpoint;  // where to reach it first; it may roam
  uint16_t persistent_keepalive = 0;            // seconds, 0: off
  Origin origin = Origin::kApi;
};

/// Changes of a field that are not named stay as they are.
struct UserChange {
  std::string name;
  std::optional<uint64_t> up_bits, up_burst, up_packets;
  std::optional<uint64_t> down_bits, down_burst, down_packets;
  std::optional<uint32_t> max_peers;
  std::optional<bool> enabled;
};
struct PeerChange {
  std::string name;
  std::optional<crypto::Secret> preshared_key;  // all zero: takes it away
  std::optional<std::vector<dataplane::Prefix>> allowed_ips;
  std::optional<dataplane::Endpoint> endpoint;
  std::optional<uint16_t> persistent_keepalive;
};

struct AddUser {
  UserSpec spec;
};
struct SetUser {
  UserChange change;
};
struct RemoveUser {
  std::string name;
};  // and its peers
struct AddPeer {
  PeerSpec spec;
  bool move = false;  // allowed IPs that are another peer's are taken from it
};
struct SetPeer {
  PeerChange change;
  bool move = false;
};
struct RemovePeer {
  std::string name;
};

/// One step of a request. A request is a list of steps, applied in order, wholly or not at all.
using Change = std::variant<AddUser, SetUser, RemoveUser, AddPeer, SetPeer, RemovePeer>;

/// A change with the place it came from, for messages.
struct Step {
  Change change;
  std::string path;  // such as "params.users[3]"
};

}  // namespace wirelay::ctrl
