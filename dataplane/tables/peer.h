// Peers as the workers see them. Records are written by the control thread (peer_writer.h); where
// more than one word must change together, an immutable object is swapped behind a pointer.
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/ip.h"
#include "dataplane/tables/lazy_array.h"
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

/// The way to a peer's endpoint: the outer IP and UDP header as it is sent, lengths and checksums
/// zero. Immutable once published.
struct alignas(64) PeerPath {
  uint8_t header[48];    // IPv4 + UDP (28 bytes) or IPv6 + UDP (48 bytes), network order
  uint8_t header_bytes;  // 28 or 48
  bool v6;
  uint16_t port;       // DPDK port
  uint16_t adjacency;  // next hop (tables/adjacency.h)
  uint16_t mtu;        // largest outer IP packet
};
static_assert(sizeof(PeerPath) == 64);

/// The path from `local` (our address and UDP port) to `remote`; same family.
PeerPath make_path(const Endpoint& local, const Endpoint& remote, uint16_t port, uint16_t adjacency,
                   uint16_t mtu) noexcept;
Endpoint path_remote(const PeerPath& path) noexcept;
Endpoint path_local(const PeerPath& path) noexcept;

/// How an inner source address is checked (bits of Peer::source_check).
inline constexpr uint8_t kSource4 = 1;      // source4 is valid
inline constexpr uint8_t kSource6 = 2;      // source6 is valid
inline constexpr uint8_t kSourceTable = 4;  // there are more: ask the prefix table

/// One peer. An address belongs to one peer at most, so a match of the peer's own needs no table;
/// within a wider prefix of the peer's there may be another's, and the table is asked.
struct alignas(64) Peer {
  std::atomic<uint32_t> current;      // receiver index of the session to send with; 0: none
  std::atomic<uint32_t> next;         // of one that takes its place once the peer uses it; 0: none
  uint32_t user;                      // user number (tables/user.h); constant while the peer lives
  std::atomic<const PeerPath*> path;  // null: endpoint unknown
  std::atomic<uint64_t> placed;       // stamp of `path`: what a session has seen later comes first
  uint32_t source4;                   // network order; changed only while its bit is clear
  uint8_t source6[16];                // the same
  std::atomic<uint8_t> source_check;
  std::atomic<bool> alive;  // false: removed, waiting for the grace period
};
static_assert(sizeof(Peer) == 64);

/// The session to send to `peer` with; null when there is none. A session that we answered for
/// counts from its first authentic packet on: its owner's rx_tsc tells that to all workers, before
/// the control thread has heard of it.
inline Session* session_to_send(const Peer& peer, SessionTable& sessions) noexcept {
  // In this order: the control thread makes a session current first, and empties `next` then.
  if (const uint32_t next = peer.next.load(std::memory_order_acquire); next != 0) [[unlikely]] {
    Session* s = sessions.find_to_seal(next);
    if (s != nullptr && s->rx_tsc.load(std::memory_order_relaxed) != 0) return s;
  }
  return sessions.find_to_seal(peer.current.load(std::memory_order_acquire));
}

/// Peers, each with its path beside it: the two lines of a pair come from memory for the price of
/// one.
class PeerTable {
 public:
  explicit PeerTable(uint32_t capacity) : records_(capacity) {}
  [[nodiscard]] uint32_t capacity() const noexcept {
    return static_cast<uint32_t>(records_.size());
  }
  Peer& operator[](uint32_t number) noexcept { return records_[number].peer; }
  void prefetch(uint32_t number) const noexcept {
    __builtin_prefetch(&records_[number].peer);
    __builtin_prefetch(&records_[number].home);
  }

 private:
  friend class PeerWriter;
  struct alignas(128) Record {
    Peer peer;
    PeerPath home;  // where Peer::path leads to, but while an older path still has its readers
  };
  LazyArray<Record> records_;
};

}  // namespace wirelay::dataplane
