// Users and peers as rows of the store. Columns of what an operator says come from the lists of
// fields (ctrl/base/user_fields.h, peer_fields.h), one for each: "limits.up.rate" is
// limits_up_rate. Internal to ctrl/store.
#pragma once

#include <cstdint>
#include <vector>

#include "ctrl/store/database.h"
#include "ctrl/users/address_book.h"
#include "ctrl/users/life.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

struct StoredUser {
  UserSpec spec;
  UserLife life;
};
struct StoredPeer {
  PeerSpec spec;  // its user by name, as the user's row has it
  PeerLife life;
};

/// Statements upon the table "users".
class UserRows {
 public:
  explicit UserRows(Database& database);
  void insert(const UserSpec& user);
  /// Its life stays.
  void update(const UserSpec& user);
  void remove(uint64_t id);
  /// Nothing when there is no such user any more. The past never becomes less: a peer that was
  /// removed since `life` was read has already been added to it.
  void save(uint64_t id, const UserLife& life, bool quota_too = true);
  /// What was used of the quota is forgotten.
  void reset_quota(uint64_t id);

  static std::vector<StoredUser> all(Database& database);

 private:
  Statement insert_, update_, remove_, save_, save_quota_, reset_quota_;
};

/// Statements upon the table "peers".
class PeerRows {
 public:
  explicit PeerRows(Database& database);
  /// Its user's row is there.
  void insert(const PeerSpec& peer);
  /// Its life and its user stay.
  void update(const PeerSpec& peer);
  /// What it carried becomes its user's past; its addresses are remembered for a day from `now`, in
  /// Unix seconds.
  void remove(const PeerSpec& peer, uint64_t now);
  void forget_timestamp(const crypto::PublicKey& key);
  /// Forgets addresses that were released more than a day ago.
  void forget_released(uint64_t now);
  /// Nothing when there is no such peer any more.
  void save(const crypto::PublicKey& key, const PeerLife& life);

  static std::vector<ReleasedAddress> released(const Database& database);
  /// `users`: as UserRows::all() has them. Throws StoreError when a peer is nobody's.
  static std::vector<StoredPeer> all(Database& database, const std::vector<StoredUser>& users);

 private:
  Statement insert_, update_, bequeath_, remove_, release_, forget_, forget_timestamp_, save_;
};

}  // namespace wirelay::ctrl
