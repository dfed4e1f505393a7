// What the registry holds. Internal to ctrl/users.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

struct UserEntry {
  UserPtr spec;
  std::set<std::string> peers;
};

struct KeyHash {
  size_t operator()(const crypto::PublicKey& key) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
  }
};

struct PrefixHash {
  size_t operator()(const dataplane::Prefix& prefix) const noexcept {
    const auto& bytes = prefix.addr.bytes;
    return std::hash<std::string_view>{}(
               {reinterpret_cast<const char*>(bytes.data()), bytes.size()}) ^
           prefix.length;
  }
};

struct Registry::State {
  RegistryLimits limits;
  std::map<std::string, UserEntry> users = {};
  std::map<std::string, PeerPtr> peers = {};
  std::unordered_map<crypto::PublicKey, PeerPtr, KeyHash> by_key = {};
  std::unordered_map<dataplane::Prefix, PeerPtr, PrefixHash> claims = {};  // allowed IPs

  void enter(const UserEvent& event);
  void enter(const PeerEvent& event);
};

}  // namespace wirelay::ctrl
