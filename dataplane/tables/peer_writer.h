// The control thread's side of the peer table.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/rcu.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/prefix_writer.h"

namespace wirelay::dataplane {

class PeerWriter {
 public:
  PeerWriter(PeerTable& peers, PrefixWriter& prefixes, Rcu& rcu);

  /// A new peer of user number `user`, its allowed IPs entered into the prefix table. nullopt when
  /// the peer or the prefix table is full; then nothing is changed.
  std::optional<uint32_t> add(uint32_t user, std::span<const Prefix> allowed);

  /// Replaces the allowed IPs; costs what differs. False when the prefix table is full, and then
  /// nothing is changed.
  bool set_allowed(uint32_t peer, std::span<const Prefix> allowed);

  /// Swaps the path; null forgets it. The old one is freed after the grace period. `placed`: since
  /// when it counts, on the scale of Session::moved.
  void set_path(uint32_t peer, const PeerPath* copied, uint64_t placed = 0);
  /// The path stays and counts since then.
  void place(uint32_t peer, uint64_t placed) noexcept;

  /// One atomic store: the session that outbound packets are sealed with; 0: none.
  void set_current(uint32_t peer, uint32_t index) noexcept;
  /// The same for the one that is sealed with once the peer has used it. To make it the current
  /// one, set that first.
  void set_next(uint32_t peer, uint32_t index) noexcept;

  /// Takes the peer and its prefixes away at once; the number is free after the grace period. The
  /// caller has retired the peer's sessions before: they name the number.
  void remove(uint32_t peer);

 private:
  struct Record {
    std::vector<Prefix> allowed;  // sorted
    uint32_t generation = 0;      // counts the changes of `allowed`
    bool home_taken = false;      // a path stands beside the peer, perhaps in its grace period
  };

  /// Enters those of `wanted` that are not in `present` (both sorted). False when the prefix table
  /// is full; then it is as before.
  bool enter(uint32_t peer, std::span<const Prefix> wanted, std::span<const Prefix> present);
  /// Takes out those of `present` that are not in `wanted` and still lead to the peer.
  void take_out(uint32_t peer, std::span<const Prefix> present, std::span<const Prefix> wanted);
  /// Makes workers ask the prefix table, and after the grace period writes the peer's own prefixes
  /// into its record again.
  void change_sources(uint32_t peer);
  void swap_path(uint32_t peer, const PeerPath* copied);
  PeerPath* new_path(uint32_t peer);
  /// Behind the grace period of a path.
  void release_path(uint32_t peer, PeerPath* path);

  PeerTable& peers_;
  PrefixWriter& prefixes_;
  Rcu& rcu_;
  std::vector<Record> records_;  // by peer number, those that were ever used
  std::vector<uint32_t> free_;   // last in, first out: touched memory stays small

  /// Paths of peers whose former one, beside the record, still waits for its grace period.
  std::vector<std::unique_ptr<LazyArray<PeerPath>>> path_chunks_;
  std::vector<PeerPath*> free_paths_;
  size_t fresh_path_ = 0;  // within the last chunk
};

}  // namespace wirelay::dataplane
