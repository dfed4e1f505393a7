// The IPv4 part of the prefix table's memory, shared by its reader (prefix.h) and its writer
// (prefix_writer.h).
//
//   bucket (a cache line)          word
//   | 7 words | next bucket |      | address and length: 33 bits | RouteTarget: 31 bits |
//
// Prefix and target are one word, so a lookup reads one line, and every change is one atomic store:
// nothing waits for a grace period. Buckets that are full continue in further ones, which they
// keep.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/ip.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/prefix.h"
#include "dataplane/uint128.h"

namespace wirelay::dataplane {

/// Written by the control thread.
struct alignas(64) Prefix4Bucket {
  std::array<std::atomic<uint64_t>, 7> words;  // 0: free
  std::atomic<uint64_t> next;                  // number of the bucket that continues it; 0: none
};
static_assert(sizeof(Prefix4Bucket) == 64);

class Prefix4Store {
 public:
  explicit Prefix4Store(uint32_t capacity);

  /// A prefix of the first `length` bits (0 to 32) of `addr` (host order) in 33 bits: the address,
  /// and behind its last significant bit a one.
  static constexpr uint64_t code(uint32_t addr, unsigned length) noexcept {
    const uint64_t mark = uint64_t{1} << (32 - length);
    return (uint64_t{addr} << 1 & ~(2 * mark - 1)) | mark;
  }

  // Readers' part, any thread. -------------------------------------------------------------------

  /// `addrs`: host order, at most kBurstSize; `out` has as many elements.
  void lookup_burst(std::span<const uint32_t> addrs, RouteTarget* out) const noexcept;

  /// Of this very prefix; kind kNone when there is none.
  [[nodiscard]] RouteTarget find(uint64_t code) const noexcept { return find(code, bucket(code)); }

  /// Where the search for a prefix begins. Keyed at random at start: nobody can choose prefixes
  /// that collide.
  [[nodiscard]] uint32_t bucket(uint64_t code) const noexcept {
    const uint64_t mixed = fold(Uint128{fold(Uint128{code ^ seed_[0]} * seed_[1])} * seed_[2]);
    return static_cast<uint32_t>((mixed >> 32) * buckets_in_use_ >> 32);
  }

  // The writer's part, control thread only. ------------------------------------------------------

  /// Adds or replaces. False when there is no room.
  bool set(const Prefix& prefix, RouteTarget target) noexcept;
  /// False when there was none.
  bool erase(const Prefix& prefix) noexcept;
  [[nodiscard]] RouteTarget get(const Prefix& prefix) const noexcept {
    return find(code_of(prefix));
  }
  [[nodiscard]] uint32_t size() const noexcept { return size_; }

 private:
  static constexpr unsigned kTargetBits = 31;
  static_assert(RouteTarget::make(RouteKind::kLocal, UINT32_MAX).word >> kTargetBits == 0,
                "kinds are few: the highest bit is not used");

  static uint64_t fold(Uint128 product) noexcept {
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  static RouteTarget target_of(uint64_t word) noexcept {
    return {static_cast<uint32_t>(word & ((uint64_t{1} << kTargetBits) - 1))};
  }
  static uint64_t code_of(const Prefix& prefix) noexcept;

  [[nodiscard]] RouteTarget find(uint64_t code, uint32_t bucket) const noexcept;
  /// Addresses of a burst that no longer prefix has matched.
  struct Unresolved;
  void compare(uint64_t only, unsigned length, std::span<const uint32_t> addrs, RouteTarget* out,
               Unresolved& unresolved) const noexcept;
  void probe(unsigned length, std::span<const uint32_t> addrs, RouteTarget* out,
             Unresolved& unresolved) const noexcept;

  /// The word with this code, or a free one behind which it may stand; null when there is neither
  /// and no bucket is left.
  std::atomic<uint64_t>* place(uint64_t code) noexcept;
  /// Takes a word into account that came, went or changed, and publishes what is in use.
  void count(uint64_t before, uint64_t after) noexcept;

  const uint32_t buckets_in_use_;     // those that hashes lead to; the others continue full ones
  uint64_t seed_[3];                  // constant after start
  std::atomic<uint64_t> in_use_{0};   // bit n: there are prefixes of length n
  std::atomic<uint64_t> only_[33]{};  // the word of the only prefix of its length; else 0
  LazyArray<Prefix4Bucket> buckets_;

  uint32_t fresh_bucket_;  // from here on never used
  uint32_t size_ = 0;
  /// The prefixes of one length: how many, and all their words xored, which is the word of the one
  /// that is left when others go.
  struct OfLength {
    uint32_t count = 0;
    uint64_t words = 0;
  };
  OfLength of_length_[33];
};

}  // namespace wirelay::dataplane
