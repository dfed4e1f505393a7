// What the protocol keeps of each user: which peers are its, and how many of them may be connected.
// Control thread only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "ctrl/users/model.h"
#include "dataplane/tables/lazy_array.h"

namespace wirelay::ctrl {

class UserBook {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  UserBook(uint32_t users, uint32_t peers) : users_(users), peers_(peers) {}

  /// A user gets the number, and nothing of the one before.
  void add(uint32_t user, const SessionRules& rules);
  void set_rules(uint32_t user, const SessionRules& rules) { users_[user].rules = rules; }
  [[nodiscard]] const SessionRules& rules(uint32_t user) const { return users_[user].rules; }

  void add_peer(uint32_t user, uint32_t peer);
  void remove_peer(uint32_t user, uint32_t peer);
  [[nodiscard]] uint32_t peer_count(uint32_t user) const { return users_[user].peers; }
  /// Another of the user's peers at each call, all of them in turn; kNone when it has none.
  uint32_t next_peer(uint32_t user);
  /// Calls `visit(peer)` for each of the user's peers.
  template <typename Visit>
  void for_each_peer(uint32_t user, Visit visit) const {
    const uint32_t first = users_[user].first;
    for (uint32_t left = users_[user].peers, peer = first; left != 0; --left) {
      const uint32_t next = peers_[peer].next;
      visit(peer);
      peer = next;
    }
  }

  /// Since when the peer is connected: a TSC reading, meaningful while it is.
  uint64_t& connected_since(uint32_t peer) { return peers_[peer].connected_since; }

  /// Seconds since 1970; 0: there was none yet.
  [[nodiscard]] uint64_t first_handshake(uint32_t user) const { return users_[user].handshake; }
  void set_first_handshake(uint32_t user, uint64_t seconds) { users_[user].handshake = seconds; }
  /// A handshake with one of the user's peers has made a session.
  void note_handshake(uint32_t user, uint64_t seconds);
  /// Users whose first handshake was since the last call.
  [[nodiscard]] std::vector<uint32_t> take_new() { return std::exchange(new_, {}); }

 private:
  struct UserState {
    SessionRules rules;
    uint64_t handshake;     // the first; seconds since 1970, 0: none yet
    uint32_t first, peers;  // of a ring of peers, and how many there are in it
  };
  struct PeerLinks {
    uint64_t connected_since;
    uint32_t next, previous;  // in the ring of the user's peers
  };

  dataplane::LazyArray<UserState> users_;
  dataplane::LazyArray<PeerLinks> peers_;
  std::vector<uint32_t> new_;
};

}  // namespace wirelay::ctrl
