// The IPv6 part of the prefix table's memory, shared by its reader (prefix.h) and its writer
// (prefix_writer.h).
//
//   bucket (a cache line)                                   entry (half a line)
//   | 12 tags of a byte | next bucket | 12 entry numbers | ──► | prefix | length | target |
//
// A prefix hashes to a bucket and a tag. Readers compare all tags of a bucket at once and look at
// the entries whose tag is right; buckets that are full continue in further ones. What readers can
// see, entry or bucket, is reused only after a grace period; so a reader that races with an update
// may miss a prefix that comes or goes, but never reads another's target for it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include <emmintrin.h>
#include <endian.h>

#include "dataplane/ip.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/prefix.h"
#include "dataplane/uint128.h"

namespace wirelay::dataplane {

/// An address as two words, as it lies in memory.
struct PrefixKey {
  uint64_t word[2];

  static PrefixKey of(const IpAddr& addr) noexcept { return {{addr.word(0), addr.word(1)}}; }
  /// The first `length` bits (0 to 128) set.
  static PrefixKey mask(uint8_t length) noexcept {
    const unsigned high = length < 64 ? length : 64;
    return {{leading_bits(high), leading_bits(length - high)}};
  }
  PrefixKey operator&(const PrefixKey& mask) const noexcept {
    return {{word[0] & mask.word[0], word[1] & mask.word[1]}};
  }

 private:
  static uint64_t leading_bits(unsigned bits) noexcept {
    return bits == 0 ? 0 : htobe64(~uint64_t{0} << (64 - bits));
  }
};

struct alignas(32) PrefixEntry {
  PrefixKey key;                 // constant while a bucket names the entry, and a grace period more
  std::atomic<uint32_t> target;  // RouteTarget's word; control thread
  uint8_t length;                // constant as `key`
};
static_assert(sizeof(PrefixEntry) == 32);

/// Written by the control thread.
struct alignas(64) PrefixBucket {
  static constexpr unsigned kEntries = 12;

  std::atomic<uint64_t>
      tags[2];  // byte by byte from the lowest: 12 tags, 0 for a free place; in the
                // upper half of the second word the next bucket's number, 0: none
  std::atomic<uint32_t> entries[kEntries];

  /// One bit for each place whose tag is `tag`, from the lowest. A free place is none of them, so
  /// that the entry it may still name is not looked at.
  static uint32_t candidates(uint64_t tags0, uint64_t tags1, uint8_t tag) noexcept {
    const __m128i tags =
        _mm_set_epi64x(static_cast<long long>(tags1), static_cast<long long>(tags0));
    const __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8(static_cast<char>(tag)));
    return static_cast<uint32_t>(_mm_movemask_epi8(equal)) & ((1u << kEntries) - 1);
  }
  /// The place of the lowest of `candidates`, which are not zero.
  static unsigned place(uint32_t candidates) noexcept {
    return static_cast<unsigned>(std::countr_zero(candidates));
  }
  static uint32_t next(uint64_t tags1) noexcept { return static_cast<uint32_t>(tags1 >> 32); }
};
static_assert(sizeof(PrefixBucket) == 64);

class Prefix6Store {
 public:
  explicit Prefix6Store(uint32_t capacity);

  // Readers' part, any thread. -------------------------------------------------------------------

  /// The lengths in use: bit `length % 64` of word `length / 64`.
  using Lengths = std::array<uint64_t, 3>;
  [[nodiscard]] Lengths lengths() const noexcept {
    return {in_use_[0].load(std::memory_order_acquire), in_use_[1].load(std::memory_order_acquire),
            in_use_[2].load(std::memory_order_acquire)};
  }
  /// Takes the greatest length out of `lengths`; false when there is none.
  static bool take_longest(Lengths& lengths, uint8_t& length) noexcept;

  /// The entry of the only prefix of this length, which then needs no probe; kNoEntry when there
  /// are several. Default routes and connected networks are mostly alone.
  [[nodiscard]] uint32_t only(uint8_t length) const noexcept {
    return only_[length].load(std::memory_order_acquire);
  }

  struct Hash {
    uint32_t bucket;
    uint8_t tag;  // not 0
  };
  /// `key` masked to `length`. Keyed at random at start: nobody can choose prefixes that collide.
  [[nodiscard]] Hash hash(const PrefixKey& key, uint8_t length) const noexcept {
    const Uint128 first = Uint128{key.word[0] ^ seed_[0] ^ length} * (key.word[1] ^ seed_[1]);
    const Uint128 second = Uint128{fold(first)} * seed_[2];
    const uint64_t mixed = fold(second);
    const auto tag = static_cast<uint8_t>(mixed);
    return {static_cast<uint32_t>((mixed >> 32) * buckets_in_use_ >> 32),
            static_cast<uint8_t>(tag | (tag == 0))};
  }

  [[nodiscard]] const PrefixBucket& bucket(uint32_t number) const noexcept {
    return buckets_[number];
  }
  [[nodiscard]] const PrefixEntry& entry(uint32_t number) const noexcept {
    return entries_[number];
  }
  [[nodiscard]] bool matches(uint32_t number, const PrefixKey& key, uint8_t length) const noexcept {
    const PrefixEntry& e = entries_[number];
    return ((e.key.word[0] ^ key.word[0]) | (e.key.word[1] ^ key.word[1]) |
            static_cast<uint64_t>(e.length ^ length)) == 0;
  }
  [[nodiscard]] RouteTarget target(uint32_t number) const noexcept {
    return {entries_[number].target.load(std::memory_order_acquire)};
  }
  /// The entry's number; kNoEntry when there is none.
  [[nodiscard]] uint32_t find(const PrefixKey& key, uint8_t length, Hash hash) const noexcept;

  /// An entry that matches nothing.
  static constexpr uint32_t kNoEntry = 0;

  // The writer's part, control thread only. ------------------------------------------------------

  /// A new entry; the prefix is not in the table. False when there is no room.
  bool insert(const Prefix& prefix, RouteTarget target);
  void replace(uint32_t number, RouteTarget target) noexcept {
    entries_[number].target.store(target.word, std::memory_order_release);
  }
  /// False when there was none. Its memory is free after the grace period.
  bool erase(const Prefix& prefix, Rcu& rcu);
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }

 private:
  static uint64_t fold(Uint128 product) noexcept {
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  /// Numbers of records that come and go: the last one freed is the next one used.
  class Numbers {
   public:
    Numbers(uint32_t first, uint32_t end) : fresh_(first), end_(end) {}
    /// False when all are in use.
    bool take(uint32_t& number);
    void put_back(uint32_t number) { free_.push_back(number); }

   private:
    std::vector<uint32_t> free_;
    uint32_t fresh_;  // from here on never used
    uint32_t end_;
  };

  /// Makes a bucket name the entry. False when a bucket is needed and none is left.
  bool link(uint32_t number, Hash hash);
  /// Makes no bucket name the entry, which one does now.
  void unlink(uint32_t number, Hash hash, Rcu& rcu);
  /// Counts entry `number` in or out and publishes what is in use.
  void count_in(const Prefix& prefix, uint32_t number) noexcept;
  void count_out(const Prefix& prefix, uint32_t number) noexcept;

  const uint32_t capacity_;
  const uint32_t buckets_in_use_;  // those that hashes lead to; the others continue full ones
  uint64_t seed_[3];               // constant after start
  std::atomic<uint64_t> in_use_[3]{};
  std::atomic<uint32_t> only_[129]{};
  LazyArray<PrefixBucket> buckets_;
  LazyArray<PrefixEntry> entries_;

  Numbers free_entries_;
  Numbers free_buckets_;
  uint32_t size_ = 0;
  /// The prefixes of one length: how many, and all their entries' numbers xored, which is the
  /// number of the one that is left when others go.
  struct OfLength {
    uint32_t count = 0;
    uint32_t numbers = 0;
  };
  OfLength of_length_[129];
};

}  // namespace wirelay::dataplane
