// An ordered map of disjoint prefixes.
#include "ctrl/users/claims.h"

#include <algorithm>

namespace wirelay::ctrl {

using dataplane::Prefix;

void Claims::claim(std::span<const Prefix> prefixes, const PeerSpec* owner) {
  for (const Prefix& prefix : outermost(prefixes)) {
    claims_.insert_or_assign(key_of(prefix), Claim{prefix, owner});
  }
}

void Claims::release(std::span<const Prefix> prefixes) {
  for (const Prefix& prefix : outermost(prefixes)) claims_.erase(key_of(prefix));
}

const Claims::Claim* Claims::conflict(const Prefix& prefix, const PeerSpec* self) const {
  const bool v4 = prefix.is_v4();
  auto behind = claims_.upper_bound(key_of(prefix));
  if (behind != claims_.begin()) {
    const auto& [key, claim] = *std::prev(behind);
    if (key.first == v4 && claim.owner != self && claim.prefix.contains(prefix.addr)) return &claim;
  }
  for (; behind != claims_.end(); ++behind) {
    const auto& [key, claim] = *behind;
    if (key.first != v4 || !prefix.contains(claim.prefix.addr)) break;
    if (claim.owner != self) return &claim;
  }
  return nullptr;
}

std::vector<Prefix> Claims::outermost(std::span<const Prefix> prefixes) {
  std::vector<Prefix> sorted(prefixes.begin(), prefixes.end());
  if (sorted.size() < 2) return sorted;
  std::sort(sorted.begin(), sorted.end(), [](const Prefix& a, const Prefix& b) {
    return std::pair(key_of(a), a.length) < std::pair(key_of(b), b.length);
  });
  std::vector<Prefix> result;
  for (const Prefix& prefix : sorted) {
    const bool inside = !result.empty() && result.back().is_v4() == prefix.is_v4() &&
                        result.back().contains(prefix.addr);
    if (!inside) result.push_back(prefix);
  }
  return result;
}

}  // namespace wirelay::ctrl
