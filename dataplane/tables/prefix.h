// The one table of where an address is: peers' allowed IPs, routes, connected networks, resolved
// neighbours and the relay's own addresses; longest prefix wins. The reader's side.
//
// A hash table of each family keyed by (prefix, length), probed once for each length that is in
// use, longest first. Relays hold host routes and few other lengths, so most lookups end at the
// first probe, and an update touches one bucket, whatever the table holds. Bursts hash first,
// prefetch, then probe.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/ip.h"
#include "dataplane/tables/inside_filter.h"

namespace wirelay::dataplane {

enum class RouteKind : uint8_t {
  kNone,
  kPeer,       // id: peer number
  kVia,        // id: adjacency number
  kConnected,  // id: DPDK port; the destination is its own next hop, not resolved yet
  kLocal,      // one of the relay's own addresses; id unused
  kPublic,     // addresses of NAT's pools; id unused
};

/// Where a prefix leads, in one word, so that it is replaced atomically.
struct RouteTarget {
  uint32_t word = 0;

  static constexpr RouteTarget make(RouteKind kind, uint32_t id = 0) noexcept {
    return {static_cast<uint32_t>(kind) << 28 | (id & 0x0fffffff)};
  }
  [[nodiscard]] RouteKind kind() const noexcept { return static_cast<RouteKind>(word >> 28); }
  [[nodiscard]] uint32_t id() const noexcept { return word & 0x0fffffff; }
  bool operator==(const RouteTarget&) const = default;
};

// Memory shared by reader and writer: prefix4_store.h, prefix6_store.h
class Prefix4Store;
class Prefix6Store;

/// Lock-free reads from any worker, at any time. An entry that is being removed or replaced yields
/// its old or its new target, never another prefix's.
class PrefixTable {
 public:
  explicit PrefixTable(uint32_t capacity);
  ~PrefixTable();
  PrefixTable(const PrefixTable&) = delete;
  PrefixTable& operator=(const PrefixTable&) = delete;

  [[nodiscard]] RouteTarget lookup(const IpAddr& addr) const noexcept;

  /// addrs.size() is at most kBurstSize; `out` has as many elements. IPv4 addresses match IPv4
  /// prefixes only (length 96 and more), IPv6 addresses IPv6 prefixes only.
  void lookup_burst(std::span<const IpAddr> addrs, RouteTarget* out) const noexcept;

  /// False: the address is neither a peer's nor ours.
  [[nodiscard]] bool may_be_inside(const IpAddr& addr) const noexcept {
    return inside_.may_hold(addr);
  }

 private:
  friend class PrefixWriter;
  InsideFilter inside_;
  std::unique_ptr<Prefix4Store> v4_;
  std::unique_ptr<Prefix6Store> v6_;
};

}  // namespace wirelay::dataplane
