// What the registry will be once a request has passed: the request's own changes before what
// stands, so that its later steps see its earlier ones and nobody else sees any. A draft may stand
// on another: requests that are kept together are checked each on those before it. Internal to
// ctrl/users.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/users/standing.h"

namespace wirelay::ctrl {

class Draft final : public Standing {
 public:
  /// `base` stands still while the draft lives.
  explicit Draft(const Standing& base);

  [[nodiscard]] const RegistryLimits& limits() const noexcept override { return base_.limits(); }
  [[nodiscard]] UserPtr user(const std::string& name) const override;
  [[nodiscard]] PeerPtr peer(const std::string& name) const override;
  [[nodiscard]] PeerPtr peer_by_key(const crypto::PublicKey& key) const override;
  [[nodiscard]] PeerPtr owner_of(const dataplane::Prefix& prefix) const override;
  [[nodiscard]] std::vector<PeerPtr> peers_of(const std::string& user) const override;
  [[nodiscard]] size_t peers_of_count(const std::string& user) const override;
  [[nodiscard]] Sizes sizes() const noexcept override { return sizes_; }
  [[nodiscard]] uint64_t next_user_id() const noexcept override { return next_user_id_; }

  [[nodiscard]] const std::vector<AddressPool>& pools() const override;
  [[nodiscard]] std::optional<dataplane::IpAddr> recall(const crypto::PublicKey& key,
                                                        bool v4) const override {
    return base_.recall(key, v4);
  }
  /// The address is given to who asks for it by name, while there are others.
  void hold(const dataplane::IpAddr& address);

  /// Enters the change and writes it down. When a user is given another name, its peers are to be
  /// told of next.
  void change_user(UserPtr before, UserPtr after);
  void reset_quota(const UserPtr& user);
  void forget_timestamp(const PeerPtr& peer);
  void change_peer(PeerPtr before, PeerPtr after,
                   const std::optional<dataplane::Endpoint>& placed = std::nullopt);
  /// Writes down that something around the peer has changed.
  void touch_peer(const PeerPtr& peer) { events_.push_back(PeerEvent{peer, peer}); }

  /// Enters what a draft upon this one came to.
  void enter(const std::vector<ChangeEvent>& events);

  [[nodiscard]] std::vector<ChangeEvent> take_events() && { return std::move(events_); }

 private:
  /// A user as the request leaves it; peers of the base that it has lost or changed are found in
  /// peers_.
  struct DraftUser {
    UserPtr spec;
    size_t peers = 0;
    std::vector<std::string> added;  // names of peers that came or have another, perhaps gone again
  };
  DraftUser& draft_user(const std::string& name);

  const Standing& base_;
  std::unordered_map<std::string, DraftUser> users_;
  std::unordered_map<std::string, PeerPtr> peers_;
  std::unordered_map<crypto::PublicKey, PeerPtr, KeyHash> by_key_;
  std::unordered_map<dataplane::Prefix, PeerPtr, PrefixHash> claims_;
  mutable std::optional<std::vector<AddressPool>> pools_;  // once somebody asks
  Sizes sizes_;
  uint64_t next_user_id_;
  std::vector<ChangeEvent> events_;
};

}  // namespace wirelay::ctrl
