// Which addresses are spoken for: the allowed IPs of all peers and the relay's own addresses, kept
// so that an overlap is found in O(log n).
#pragma once

#include <map>
#include <span>
#include <utility>
#include <vector>

#include "ctrl/users/model.h"

namespace wirelay::ctrl {

class Claims {
 public:
  /// One claim that stands; `owner` is null for an address of the relay itself.
  struct Claim {
    dataplane::Prefix prefix;
    const PeerSpec* owner;
  };

  /// Enters the prefixes of `owner`, which the caller keeps alive until release(). They overlap
  /// no other owner's; they may overlap each other.
  void claim(std::span<const dataplane::Prefix> prefixes, const PeerSpec* owner);
  void release(std::span<const dataplane::Prefix> prefixes);

  /// A claim of another owner than `self` that overlaps `prefix`, or null. An IPv6 prefix never
  /// overlaps an IPv4 one, though their common form does.
  [[nodiscard]] const Claim* conflict(const dataplane::Prefix& prefix, const PeerSpec* self) const;

 private:
  /// Family, then first address. Only an owner's outermost prefixes are entered, so no two entries
  /// overlap and the one at or before an address is the only one that can hold it.
  using Key = std::pair<bool, dataplane::IpAddr>;
  static Key key_of(const dataplane::Prefix& prefix) { return {prefix.is_v4(), prefix.addr}; }
  static std::vector<dataplane::Prefix> outermost(std::span<const dataplane::Prefix> prefixes);

  std::map<Key, Claim> claims_;
};

}  // namespace wirelay::ctrl
