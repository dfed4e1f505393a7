// The pools that new peers get addresses from, and the addresses that peers had who are gone: for a
// day they are theirs, should they come back.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "ctrl/users/address_pool.h"
#include "ctrl/users/model.h"

namespace wirelay::ctrl {

struct RegistryLimits;

/// Whose it was, and when it was given back.
struct ReleasedAddress {
  crypto::PublicKey key{};
  dataplane::IpAddr address;
  uint64_t unix_seconds = 0;

  bool operator==(const ReleasedAddress&) const = default;
};

/// How much of a pool is in use.
struct PoolUse {
  dataplane::Prefix prefix;
  uint32_t size = 0, used = 0;
};

class AddressBook {
 public:
  /// So many are remembered, for so long: 0.1 KB each.
  static constexpr size_t kMostReleased = 10'000;
  static constexpr uint64_t kSecondsKept = 86'400;

  /// Of `limits` its pools, and what of them is nobody's.
  explicit AddressBook(const RegistryLimits& limits);

  [[nodiscard]] const std::vector<AddressPool>& pools() const noexcept { return pools_; }
  [[nodiscard]] std::vector<PoolUse> use() const;
  /// Null stands for none.
  void change(const PeerSpec* before, const PeerSpec* after);
  /// What the peer with that key had, if it was here within a day.
  [[nodiscard]] std::optional<dataplane::IpAddr> recall(const crypto::PublicKey& key,
                                                        bool v4) const;

  /// All that is remembered, the oldest first; and the same after a restart.
  [[nodiscard]] std::vector<ReleasedAddress> released() const {
    return {released_.begin(), released_.end()};
  }
  void restore(std::span<const ReleasedAddress> released);

 private:
  struct Had {
    ReleasedAddress v4, v6;
    ReleasedAddress& of(bool is_v4) noexcept { return is_v4 ? v4 : v6; }
  };
  void remember(const ReleasedAddress& released);
  void forget_oldest();

  std::vector<AddressPool> pools_;
  std::deque<ReleasedAddress> released_;
  std::unordered_map<crypto::PublicKey, Had, KeyHash> by_key_;
};

/// An address of each family that `pools` have, as allowed IPs of a peer that had `recalled`. Where
/// one is full, none, and `full` names it.
std::vector<dataplane::Prefix> pick_addresses(const std::vector<AddressPool>& pools,
                                              const std::optional<dataplane::IpAddr>& recalled_v4,
                                              const std::optional<dataplane::IpAddr>& recalled_v6,
                                              std::string& full);

}  // namespace wirelay::ctrl
