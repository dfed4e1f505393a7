// What the registry holds. Internal to registry*.cc.
//
// Specs are immutable once they stand here: a change swaps the pointer. So a request's log of
// (before, after) pairs is enough to undo it, and to tell the observer of it afterwards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ctrl/users/claims.h"
#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

using UserPtr = std::shared_ptr<const UserSpec>;
using PeerPtr = std::shared_ptr<const PeerSpec>;

struct UserEntry {
  UserPtr spec;
  std::set<std::string> peers;
};

struct KeyHash {
  size_t operator()(const crypto::PublicKey& key) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
  }
};

struct Registry::State {
  RegistryLimits limits;
  RegistryObserver& observer;
  std::map<std::string, UserEntry> users;
  std::map<std::string, PeerPtr> peers;
  std::unordered_map<crypto::PublicKey, PeerPtr, KeyHash> by_key;
  Claims claims;
  size_t prefixes = 0;  // of all peers

  /// Replaces `before` by `after`; null stands for none. A user that goes has no peers left, and
  /// the user of a peer that comes is there.
  void swap_user(const UserPtr& before, const UserPtr& after);
  void swap_peer(const PeerPtr& before, const PeerPtr& after);
};

/// 1 to 64 of letters, digits and ". _ - @ +".
bool is_name(std::string_view text) noexcept;

}  // namespace wirelay::ctrl
