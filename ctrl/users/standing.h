// What a change is checked against: the registry, or a draft that stands upon it. Internal to
// ctrl/users.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ctrl/users/registry.h"

namespace wirelay::ctrl {

struct PrefixHash {
  size_t operator()(const dataplane::Prefix& prefix) const noexcept {
    const auto& bytes = prefix.addr.bytes;
    return std::hash<std::string_view>{}(
               {reinterpret_cast<const char*>(bytes.data()), bytes.size()}) ^
           prefix.length;
  }
};

class Standing {
 public:
  virtual ~Standing() = default;

  struct Sizes {
    size_t users = 0, peers = 0, prefixes = 0;
  };
  [[nodiscard]] virtual const RegistryLimits& limits() const noexcept = 0;
  // Null when there is none.
  [[nodiscard]] virtual UserPtr user(const std::string& name) const = 0;
  [[nodiscard]] virtual PeerPtr peer(const std::string& name) const = 0;
  [[nodiscard]] virtual PeerPtr peer_by_key(const crypto::PublicKey& key) const = 0;
  [[nodiscard]] virtual PeerPtr owner_of(const dataplane::Prefix& prefix) const = 0;
  /// In the order of their names.
  [[nodiscard]] virtual std::vector<PeerPtr> peers_of(const std::string& user) const = 0;
  [[nodiscard]] virtual size_t peers_of_count(const std::string& user) const = 0;
  [[nodiscard]] virtual Sizes sizes() const noexcept = 0;
  /// What the next new user is numbered. No number is ever given twice.
  [[nodiscard]] virtual uint64_t next_user_id() const noexcept = 0;
  [[nodiscard]] virtual const std::vector<AddressPool>& pools() const = 0;
  /// AddressBook::recall().
  [[nodiscard]] virtual std::optional<dataplane::IpAddr> recall(const crypto::PublicKey& key,
                                                                bool v4) const = 0;
};

}  // namespace wirelay::ctrl
