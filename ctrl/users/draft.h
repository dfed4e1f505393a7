// What the registry will be once a request has passed: the request's own changes before what
// stands, so that its later steps see its earlier ones and nobody else sees any. Internal to
// ctrl/users.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/users/registry_state.h"

namespace wirelay::ctrl {

class Draft {
 public:
  /// `base` stands still while the draft lives.
  explicit Draft(const Registry::State& base);

  [[nodiscard]] const RegistryLimits& limits() const noexcept { return base_.limits; }
  // Null when there is none.
  [[nodiscard]] UserPtr user(const std::string& name) const;
  [[nodiscard]] PeerPtr peer(const std::string& name) const;
  [[nodiscard]] PeerPtr peer_by_key(const crypto::PublicKey& key) const;
  [[nodiscard]] PeerPtr owner_of(const dataplane::Prefix& prefix) const;
  [[nodiscard]] std::vector<PeerPtr> peers_of(const std::string& user) const;

  [[nodiscard]] size_t peers_of_count(const std::string& user) const;
  [[nodiscard]] size_t users() const noexcept { return users_count_; }
  [[nodiscard]] size_t peers() const noexcept { return peers_count_; }
  [[nodiscard]] size_t prefixes() const noexcept { return prefixes_count_; }

  /// Enters the change and writes it down.
  void change_user(UserPtr before, UserPtr after);
  void change_peer(PeerPtr before, PeerPtr after,
                   const std::optional<dataplane::Endpoint>& placed = std::nullopt);
  /// Writes down that something around the peer has changed.
  void touch_peer(const PeerPtr& peer) { events_.push_back(PeerEvent{peer, peer}); }

  [[nodiscard]] std::vector<ChangeEvent> take_events() && { return std::move(events_); }

 private:
  /// A user as the request leaves it; peers of the base that it has lost or changed are found in
  /// peers_.
  struct DraftUser {
    UserPtr spec;
    size_t peers = 0;
    std::vector<std::string> added;  // names of peers that came, perhaps gone again
  };
  DraftUser& draft_user(const std::string& name);

  const Registry::State& base_;
  std::unordered_map<std::string, DraftUser> users_;
  std::unordered_map<std::string, PeerPtr> peers_;
  std::unordered_map<crypto::PublicKey, PeerPtr, KeyHash> by_key_;
  std::unordered_map<dataplane::Prefix, PeerPtr, PrefixHash> claims_;
  size_t users_count_, peers_count_, prefixes_count_;
  std::vector<ChangeEvent> events_;
};

}  // namespace wirelay::ctrl
