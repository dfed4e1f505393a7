// The users and peers that exist. Everybody reads; only the door (door.h) enters changes, which it
// has checked before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/users/address_book.h"
#include "ctrl/users/change.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

/// How many fit, and which addresses peers may not claim.
struct RegistryLimits {
  uint32_t users = 0, peers = 0, prefixes = 0;
  /// Networks whose hosts are no peers: those of the ports. A peer's prefix may hold one, but not
  /// lie within it. And the relay's own addresses, as prefixes of one address.
  std::vector<dataplane::Prefix> reserved = {};
  /// Prefixes of the relay's own routes. A peer's may lie within one or hold it, but not be the
  /// same: one prefix leads to one place.
  std::vector<dataplane::Prefix> routed = {};
  std::optional<crypto::PublicKey> own_key = std::nullopt;  // of no peer, for it is ours
  /// Addresses that are no peer's endpoint, each with what it is: "the relay's own address".
  std::map<dataplane::IpAddr, std::string_view> no_peers = {};
  bool ipv4 = true, ipv6 = true;       // some port has an address of the family
  std::vector<PoolConfig> pools = {};  // that peers without allowed IPs get addresses from
};

/// Whoever reads is on the control thread, or on the door's while it prepares a request: then
/// nobody writes.
class Registry {
 public:
  /// `next_user_id`: no user has been given this number, nor a greater one.
  explicit Registry(RegistryLimits limits, uint64_t next_user_id = 1);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The steps that turn what came from the file into `users` and `peers`, and touch nothing else:
  /// for a reload. Paths lead into the given lists: "users[i]" and "peers[i]". An address may go
  /// from one peer to another. Unless told to `force`, throws Refused when more than a tenth of the
  /// file's users (and more than one) would go, or a user whose peers are not all the file's.
  [[nodiscard]] std::vector<Step> difference(std::span<const UserSpec> users,
                                             std::span<const PeerSpec> peers, bool force,
                                             std::stop_token stop = {}) const;

  // Null when there is none.
  [[nodiscard]] UserPtr user(const std::string& name) const;
  [[nodiscard]] PeerPtr peer(const std::string& name) const;
  [[nodiscard]] PeerPtr peer(const crypto::PublicKey& key) const;
  /// Names of a user's peers, in order.
  [[nodiscard]] const std::set<std::string>& peers_of(const std::string& user) const;
  [[nodiscard]] size_t user_count() const noexcept;
  [[nodiscard]] size_t peer_count() const noexcept;

  /// A page of a list in the order of names: at most `limit` behind `after` ("" for the first).
  [[nodiscard]] std::vector<UserPtr> users_after(const std::string& after, size_t limit) const;
  [[nodiscard]] std::vector<PeerPtr> peers_after(const std::string& after, size_t limit) const;

  /// The door's, on the control thread: one event of a request that was checked as a whole.
  void enter(const ChangeEvent& event);

  /// The pools, and what peers that are gone had of them.
  [[nodiscard]] const AddressBook& address_book() const noexcept;
  /// On the control thread, before anybody else: what another process has remembered.
  void restore_released(std::span<const ReleasedAddress> released);

  struct State;  // internal: registry_state.h
  [[nodiscard]] const State& state() const noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace wirelay::ctrl
