// The control thread's side of the session table: reserving an index for a handshake, publishing
// the session that comes of it, and taking it away again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/noise.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

/// What a session carried, added to its peer's totals when it ends.
struct Traffic {
  uint64_t rx_packets = 0, rx_bytes = 0, tx_packets = 0, tx_bytes = 0;
  Traffic& operator+=(const Traffic& o) noexcept;
  /// What came since it was `o`.
  Traffic operator-(const Traffic& o) const noexcept {
    return {rx_packets - o.rx_packets, rx_bytes - o.rx_bytes, tx_packets - o.tx_packets,
            tx_bytes - o.tx_bytes};
  }
  bool operator==(const Traffic&) const = default;
};
Traffic traffic_of(const Session& session) noexcept;

class SessionWriter {
 public:
  SessionWriter(SessionTable& table, Rcu& rcu);

  /// A free slot with a fresh random tag, owned by worker `owner`, for a handshake of `peer`.
  /// Workers see only that its answer is awaited. nullopt when all slots are in use.
  std::optional<uint32_t> reserve(uint32_t peer, uint32_t owner);

  /// The worker that owns the fewest of the slots that are not free.
  [[nodiscard]] uint32_t least_loaded() const noexcept;

  /// The peer for which a reserved or published index was taken; nullopt when it is neither.
  [[nodiscard]] std::optional<uint32_t> peer_of(uint32_t index) const;

  /// Fills the slot of keys.local_index, an index that reserve() gave and that is not published
  /// yet, and publishes it with one atomic store. `reject_tsc`: of this machine's TSC.
  Session& publish(const crypto::TransportKeys& keys, uint64_t reject_tsc);

  /// Takes a reserved or published session away; an index that is neither is left alone. Workers
  /// stop finding it at once; keys are wiped and the slot is free after the grace period. `last`:
  /// called then with the final counts (only for a published session), may be empty.
  void retire(uint32_t index, std::function<void(const Traffic&)> last = {});

  /// Slots that are not free: reserved, published, or waiting for their grace period.
  [[nodiscard]] uint32_t in_use() const noexcept { return in_use_; }

 private:
  enum class State : uint8_t { kFree, kReserved, kPublished, kRetired };
  struct Slot {
    uint32_t index = 0;
    uint32_t peer = 0;
    State state = State::kFree;
  };
  [[nodiscard]] uint32_t fresh_index(uint32_t slot, uint32_t owner, uint32_t last) const noexcept;
  /// The slot that `index` is reserved or published in, or null.
  [[nodiscard]] const Slot* holder(uint32_t index) const noexcept;
  void release(uint32_t number);

  SessionTable& table_;
  Rcu& rcu_;
  std::vector<Slot> slots_;     // by slot number, those that were ever used
  std::vector<uint32_t> free_;  // last in, first out: touched memory stays small
  uint32_t fresh_ = 0;          // slots from here on were never used
  uint32_t in_use_ = 0;
  std::vector<uint32_t> loads_;  // of them, by owner
};

}  // namespace wirelay::dataplane
