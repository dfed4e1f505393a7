// Addresses at which peers have been heard lately. In a flood of handshakes from everywhere a
// worker cannot tell whose an initiation is, but that one from such an address may well be a
// peer's: these have an allowance and a ring of their own. A flood that would share them has to
// forge the addresses of peers.
//
//   keyed hash of the address:  | tag, 32 bits | set |
//   a set is one cache line:    8 x | tag | known until |
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/ip.h"
#include "dataplane/tables/lazy_array.h"

namespace wirelay::dataplane {

/// Written by the control thread, read by workers. All times are TSC readings. An IPv6 address
/// stands for its /64.
class KnownSources {
 public:
  /// Longer than peers with traffic take to renew a session, and than one that has lost its session
  /// tries to get another.
  static constexpr uint64_t kKnownForSeconds = 600;

  /// `peers`: how many addresses it has room for.
  KnownSources(uint32_t peers, uint64_t tsc_hz);

  /// A peer has been heard at `source`: it is known for a while. Where more addresses fall into one
  /// set than it holds, the one that was heard longest ago is forgotten.
  void note(const IpAddr& source, uint64_t now) noexcept;
  [[nodiscard]] bool has(const IpAddr& source, uint64_t now) const noexcept;

 private:
  static constexpr unsigned kWays = 8;
  static constexpr unsigned kUnit = 32;  // a time counts in 2^32 ticks, a second or two
  struct alignas(64) Set {
    std::array<std::atomic<uint64_t>, kWays> entries;  // tag above, end of being known below
  };
  static_assert(sizeof(Set) == 64);

  [[nodiscard]] uint64_t hash(const IpAddr& source) const noexcept;

  std::array<uint8_t, 16> key_;  // nobody can tell which addresses share a set, or a tag
  const uint64_t known_for_;     // in 2^32 ticks
  LazyArray<Set> sets_;          // a power of two
};

}  // namespace wirelay::dataplane
