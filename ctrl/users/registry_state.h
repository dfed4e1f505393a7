// What the registry holds. Internal to ctrl/users.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ctrl/users/standing.h"

namespace wirelay::ctrl {

struct UserEntry {
  UserPtr spec;
  std::set<std::string> peers;
};

struct Registry::State final : Standing {
  explicit State(RegistryLimits of) : rules(std::move(of)), book(rules) {}

  RegistryLimits rules;
  AddressBook book;
  uint64_t next_id = 1;
  std::map<std::string, UserEntry> users = {};
  std::map<std::string, PeerPtr> peers = {};
  std::unordered_map<crypto::PublicKey, PeerPtr, KeyHash> by_key = {};
  std::unordered_map<dataplane::Prefix, PeerPtr, PrefixHash> claims = {};  // allowed IPs

  void enter(const UserEvent& event);
  void enter(const PeerEvent& event);

  [[nodiscard]] const RegistryLimits& limits() const noexcept override { return rules; }
  [[nodiscard]] UserPtr user(const std::string& name) const override;
  [[nodiscard]] PeerPtr peer(const std::string& name) const override;
  [[nodiscard]] PeerPtr peer_by_key(const crypto::PublicKey& key) const override;
  [[nodiscard]] PeerPtr owner_of(const dataplane::Prefix& prefix) const override;
  [[nodiscard]] std::vector<PeerPtr> peers_of(const std::string& user) const override;
  [[nodiscard]] size_t peers_of_count(const std::string& user) const override;
  [[nodiscard]] Sizes sizes() const noexcept override {
    return {users.size(), peers.size(), claims.size()};
  }
  [[nodiscard]] uint64_t next_user_id() const noexcept override { return next_id; }
  [[nodiscard]] const std::vector<AddressPool>& pools() const override { return book.pools(); }
  [[nodiscard]] std::optional<dataplane::IpAddr> recall(const crypto::PublicKey& key,
                                                        bool v4) const override {
    return book.recall(key, v4);
  }
};

}  // namespace wirelay::ctrl
