// Sessions: one slot each, found by the receiver index on the wire with one array access and one
// compare. The reader's side; session_writer.h is the control thread's.
//
// A receiver index is not an identity: whoever holds a valid one has proven nothing before the tag.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "crypto/replay.h"
#include "dataplane/tables/index_layout.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/sighting.h"

namespace wirelay::dataplane {

/// One established key pair. Two pairs of cache lines, each fetched as one: what opening reads and
/// what the owner worker writes; what sealing reads and what all sealing threads write.
struct alignas(128) Session {
  // Line 0: written by the control thread before `index` is published, then constant.
  std::atomic<uint32_t> index;  // receiver index; 0: free. The one store that publishes the slot
  uint32_t peer;                // peer number
  uint8_t receive_key[32];
  uint64_t* replay_words;  // the window's ring, owner-worker-owned memory of fixed size
  uint64_t reject_tsc;     // not used for opening or sealing from this TSC on (180 s of age)
  uint32_t generation;     // counts the uses of the slot; control thread
  bool initiator;          // we sent the initiation

  // Line 1: written by the owner worker; counters and times are read by the control thread.
  alignas(64) crypto::ReplayFront replay_front;
  std::atomic<uint64_t> rx_packets;   // authentic, keepalives among them
  std::atomic<uint64_t> rx_bytes;     // inner IP bytes
  std::atomic<uint64_t> rx_tsc;       // last authentic packet; 0: none yet
  std::atomic<uint64_t> rx_data_tsc;  // last one that was not a keepalive
  uint64_t own_moved;                 // as `moved`, for the owner, which reads no line of sealing
  bool confirmed;                     // the owner has reported the first authentic packet
  bool unreported;                    // the owner has not reported its last move

  // Line 2: written by the control thread before publication, then constant, but for `moved`. Who
  // seals reads this line and the next alone, so index and age stand here again.
  alignas(64) uint8_t send_key[32];
  std::atomic<uint32_t> send_index;  // as `index`
  uint32_t remote_index;
  uint64_t send_reject_tsc;     // as reject_tsc
  std::atomic<uint64_t> moved;  // stamp of the last sighting elsewhere, 0: none; owner worker

  // Line 3: written by every thread that seals, atomically; but what is the owner worker's own.
  alignas(64) std::atomic<uint64_t> send_counter;  // next nonce; reserved with fetch_add only
  std::atomic<uint64_t> tx_tsc;                    // last packet sealed; 0: none yet
  std::atomic<uint64_t> tx_data_tsc;               // last one that was not a keepalive
  std::atomic<uint64_t> tx_packets;                // sealed by other threads than the owner
  std::atomic<uint64_t> tx_bytes;                  // inner IP bytes of these
  uint64_t own_counter;                  // owner: next nonce of those that it has reserved
  std::atomic<uint64_t> own_tx_packets;  // sealed by the owner, and written by it alone
  std::atomic<uint64_t> own_tx_bytes;    // inner IP bytes of these

  /// Nonces that the owner worker reserves at a time. An atomic addition for each packet is a good
  /// part of what a small packet costs.
  static constexpr uint64_t kOwnCounters = 32;
  /// What the owner has left is given up when others have come so far ahead: receivers take no
  /// counter that is far behind.
  static constexpr uint64_t kOwnReach = 256;

  /// A nonce, which nobody else gets. Owner worker only. May be kRejectAfterMessages or more: then
  /// the session is used up.
  uint64_t take_own_counter() noexcept {
    const uint64_t counter = send_counter.load(std::memory_order_relaxed);
    // The last of a reserved block is the one in front of a multiple of the block's size.
    if (own_counter % kOwnCounters == 0 || counter - own_counter > kOwnReach) {
      if (counter >= crypto::kRejectAfterMessages) return counter;
      own_counter = send_counter.fetch_add(kOwnCounters, std::memory_order_relaxed);
    }
    return own_counter++;
  }
};
static_assert(sizeof(Session) == 256);

/// Reader's view, any thread. Sessions are reached by index only.
class SessionTable {
 public:
  /// `slots`: a power of two is taken that holds them. `replay_packets`: the window, see
  /// crypto/replay.h. Keys live here: the memory is locked out of core dumps.
  SessionTable(uint32_t slots, uint32_t workers, uint32_t replay_packets);

  [[nodiscard]] const IndexLayout& layout() const noexcept { return layout_; }
  [[nodiscard]] uint32_t slots() const noexcept { return slots_; }
  [[nodiscard]] uint32_t workers() const noexcept { return workers_; }
  [[nodiscard]] uint32_t replay_words() const noexcept { return replay_words_; }

  /// The slot that `index` names, whoever is in it: for prefetching.
  [[nodiscard]] Session* slot(uint32_t index) noexcept { return &sessions_[layout_.slot(index)]; }

  /// The session with this receiver index, or null. Valid until the caller's quiescent state.
  [[nodiscard]] Session* find(uint32_t index) noexcept {
    Session* s = slot(index);
    return index != 0 && s->index.load(std::memory_order_acquire) == index ? s : nullptr;
  }

  /// The same for who seals with it: touches the session's lines 2 and 3 only.
  [[nodiscard]] Session* find_to_seal(uint32_t index) noexcept {
    Session* s = slot(index);
    return index != 0 && s->send_index.load(std::memory_order_acquire) == index ? s : nullptr;
  }

  /// The peer was seen elsewhere than before, by a newer packet of this session: its owner worker.
  /// `now`: TSC; `placed`: Peer::placed, which the worker knew when it took the packet to be newer.
  void move(Session& s, uint64_t now, uint64_t placed, const Sighting& seen) noexcept {
    uint64_t stamp = std::max(now, std::max(s.own_moved, placed) + 1);
    if (((stamp ^ s.own_moved) & 1) == 0) ++stamp;
    sightings_[slot_of(s)].write(stamp, seen);
    s.own_moved = stamp;
    s.moved.store(stamp, std::memory_order_release);
  }
  /// `stamp`: 0 when the session has seen no move. Any thread.
  struct Move {
    uint64_t stamp = 0;
    Sighting where;
  };
  [[nodiscard]] Move last_move(const Session& s) const noexcept {
    Move move;
    do {  // again only when the owner has written it anew meanwhile
      move.stamp = s.moved.load(std::memory_order_acquire);
      move.where = sightings_[slot_of(s)].read(move.stamp);
    } while (s.moved.load(std::memory_order_acquire) != move.stamp);
    return move;
  }

  /// An initiation of ours has this receiver index, and its response has not come.
  [[nodiscard]] bool awaits_response(uint32_t index) const noexcept {
    return index != 0 && awaited_[layout_.slot(index)].load(std::memory_order_acquire) == index;
  }
  /// The peer may ask for a cookie: awaits_response(), or a response of ours has this receiver
  /// index and its session was not used yet.
  [[nodiscard]] bool awaits_cookie(uint32_t index) noexcept {
    if (awaits_response(index)) return true;
    const Session* s = find(index);
    return s != nullptr && !s->initiator && s->rx_packets.load(std::memory_order_relaxed) == 0;
  }

 private:
  friend class SessionWriter;
  [[nodiscard]] size_t slot_of(const Session& s) const noexcept {
    return static_cast<size_t>(&s - &sessions_[0]);
  }
  IndexLayout layout_;
  uint32_t slots_;
  uint32_t workers_;
  uint32_t replay_words_;
  LazyArray<Session> sessions_;
  LazyArray<Sightings> sightings_;  // by slot; of peers that do not move it is not touched
  // By slot: the receiver index that it is reserved for, 0 while it is not. Written by the control
  // thread.
  LazyArray<std::atomic<uint32_t>> awaited_;
  LazyArray<uint64_t> replay_;  // slots x replay_words
};

}  // namespace wirelay::dataplane
