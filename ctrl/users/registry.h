// The users and peers that exist, and the rules they keep. The control thread's own; what workers
// need of it is handed to an observer, which publishes it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ctrl/base/problem.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

/// Hears of every change once a request is known to apply as a whole, in order.
class RegistryObserver {
 public:
  virtual ~RegistryObserver() = default;
  virtual void user_added(const UserSpec& user) = 0;
  virtual void user_changed(const UserSpec& before, const UserSpec& after) = 0;
  virtual void user_removed(const UserSpec& user) = 0;  // its peers were removed before
  virtual void peer_added(const PeerSpec& peer, const UserSpec& user) = 0;
  virtual void peer_changed(const PeerSpec& before, const PeerSpec& after) = 0;
  virtual void peer_removed(const PeerSpec& peer) = 0;
};

/// How many fit, and which addresses peers may not claim.
struct RegistryLimits {
  uint32_t users = 0, peers = 0, prefixes = 0;
  std::vector<dataplane::Prefix> reserved;  // the relay's own addresses and networks
  /// Prefixes of the relay's own routes. A peer's may lie within one, but not be the same: one
  /// prefix leads to one place.
  std::vector<dataplane::Prefix> routed = {};
};

class Registry {
 public:
  Registry(RegistryLimits limits, RegistryObserver& observer);

  /// Applies all steps, or throws Refused with every problem found and changes nothing.
  /// Rules: names unique and well-formed, public keys unique and not zero, allowed IPs can be
  /// forwarded and overlap neither another peer's nor a reserved one, user exists, max_peers and
  /// sizes hold.
  /// Costs what the steps change, not what the registry holds.
  void apply(std::span<const Step> steps);

  /// The steps that turn what is here into `users` and `peers`: for a reload. Paths lead into the
  /// given lists: "users[i]" and "peers[i]". An address may go from one peer to another.
  [[nodiscard]] std::vector<Step> difference(std::span<const UserSpec> users,
                                             std::span<const PeerSpec> peers) const;

  [[nodiscard]] const UserSpec* user(const std::string& name) const;
  [[nodiscard]] const PeerSpec* peer(const std::string& name) const;
  [[nodiscard]] const PeerSpec* peer_by_key(const crypto::PublicKey& key) const;
  /// Names of a user's peers, in order.
  [[nodiscard]] const std::set<std::string>& peers_of(const std::string& user) const;
  [[nodiscard]] size_t user_count() const noexcept;
  [[nodiscard]] size_t peer_count() const noexcept;

  /// A page of a list in the order of names: at most `limit` behind `after` ("" for the first).
  [[nodiscard]] std::vector<const UserSpec*> users_after(const std::string& after,
                                                         size_t limit) const;
  [[nodiscard]] std::vector<const PeerSpec*> peers_after(const std::string& after,
                                                         size_t limit) const;

  struct State;  // internal: registry_state.h

 private:
  std::shared_ptr<State> state_;
};

}  // namespace wirelay::ctrl
