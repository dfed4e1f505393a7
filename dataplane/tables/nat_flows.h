// The mappings and flows of NAT44 that one worker owns: nobody else looks at them, and their memory
// is fixed at start.
//
// A mapping joins an address and port inside with a port of its user's blocks, whoever it talks to
// (endpoint-independent, RFC 4787, REQ-1). A flow is what a mapping has with one remote address and
// port, where that must be known: of TCP, for how long it may be silent, and of all where only such
// remotes may answer. Both are one kind of record and stand in one hash table; a mapping's remote
// is zero. A mapping that has flows lives as long as the last of them, another as long as it is
// used.
#pragma once

#include <cstdint>

#include "dataplane/drops.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/nat.h"
#include "dataplane/tables/nat_tcp.h"

namespace wirelay::dataplane {

/// What is looked for, addresses and ports in network order. User and epoch are in it so that
/// nothing of a user is found under another that has its number, or its address, later.
struct NatKey {
  uint32_t inside, remote;
  uint16_t inside_port, remote_port;
  uint32_t user, epoch;
  uint32_t protocol;

  [[nodiscard]] NatKey of_mapping() const noexcept {
    NatKey key = *this;
    key.remote = key.remote_port = 0;
    return key;
  }
  bool operator==(const NatKey&) const = default;
};
static_assert(sizeof(NatKey) == 24, "three words, no padding: it is hashed as it lies");

struct alignas(64) NatFlow {
  NatKey key;               // a protocol of zero: nobody's record
  uint32_t public_address;  // network order
  uint16_t public_port;     // host order
  NatTcp tcp;
  uint32_t block;
  uint32_t mapping;   // its number; a mapping's own
  uint32_t children;  // a mapping's flows
  uint32_t deadline;  // second in which it ends, when it is not used
  uint32_t next;      // in its bucket, or of the free ones; 0: the last
};
static_assert(sizeof(NatFlow) == 64);

class NatFlows {
 public:
  /// `records`: how many mappings and flows there may be. Throws std::bad_alloc.
  NatFlows(NatTable& table, uint32_t records, uint64_t tsc_hz);

  /// Whether this protocol's remotes are told apart.
  [[nodiscard]] bool tracks(uint32_t protocol) const noexcept;

  // Looking up, in steps that give memory time. --------------------------------------------------
  [[nodiscard]] uint64_t hash(const NatKey& key) const noexcept;
  void fetch_bucket(uint64_t hash) const noexcept { __builtin_prefetch(&bucket(hash)); }
  void fetch_first(uint64_t hash) const noexcept { __builtin_prefetch(&records_[bucket(hash)]); }
  /// Null: there is none. `hash`: of the key.
  NatFlow* find(const NatKey& key, uint64_t hash) noexcept;
  NatFlow* find(const NatKey& key) noexcept { return find(key, hash(key)); }
  NatFlow& operator[](uint32_t number) noexcept { return records_[number]; }
  void fetch(uint32_t number) const noexcept { __builtin_prefetch(&records_[number]); }

  /// Makes what a packet from inside has not found: the flow that its key is of, with its mapping
  /// if need be; for what is not tracked the mapping. Drop::kNone when `flow` is there;
  /// kNatBlockAwaited when the user has too few blocks, and may have more: NatUser::wanted says so
  /// then.
  Drop make(const NatKey& key, NatFlow*& flow) noexcept;

  /// A packet has passed: it lives on. From outside only TCP keeps a flow, so that nobody there
  /// holds a mapping open (RFC 4787, REQ-6). `tcp_flags`: of TCP's header.
  void touch(NatFlow& flow, uint8_t tcp_flags, bool out) noexcept;

  /// Ends what has been silent for too long, and what users had that are gone: looks at a few
  /// records each time, at each within some seconds. Once a poll.
  void age(uint64_t tsc) noexcept;

  [[nodiscard]] uint32_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint32_t capacity() const noexcept {
    return static_cast<uint32_t>(records_.size()) - 1;
  }

 private:
  static constexpr uint64_t kLapSeconds = 8;  // in which each record is looked at
  static constexpr uint64_t kMostAtOnce = 64;

  uint32_t& bucket(uint64_t hash) noexcept { return buckets_[hash & (buckets_.size() - 1)]; }
  [[nodiscard]] const uint32_t& bucket(uint64_t hash) const noexcept {
    return buckets_[hash & (buckets_.size() - 1)];
  }
  [[nodiscard]] uint32_t flows_of(const NatUser& user) const noexcept;
  [[nodiscard]] uint32_t lifetime(const NatFlow& flow) const noexcept;
  [[nodiscard]] bool over(const NatFlow& flow, uint32_t number) const noexcept;
  Drop map(const NatKey& key, NatUser& user, uint32_t& mapping) noexcept;
  uint32_t enter(const NatKey& key) noexcept;
  void end(uint32_t number) noexcept;
  void end_mapping(const NatFlow& mapping) noexcept;

  NatTable& table_;
  const uint64_t tsc_hz_;
  const uint64_t secret_[2];  // so that nobody can fill one bucket
  LazyArray<NatFlow> records_;
  LazyArray<uint32_t> buckets_;    // first record of each
  uint32_t fresh_ = 1;             // the first record that was never used
  uint32_t free_ = 0;              // the first that is free again
  std::atomic<uint32_t> used_{0};  // read by the control thread
  uint32_t now_ = 0;               // second
  uint32_t next_look_ = 1;         // record
  uint64_t looked_ = 0;            // TSC
};

}  // namespace wirelay::dataplane
