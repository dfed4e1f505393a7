// Fragments put together again: of WireGuard's datagrams that a path has cut, and of pings of the
// relay. DPDK's table (rte_ip_frag) matches them and refuses what overlaps; here is one of it, with
// bounds. What is only forwarded is not put together.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <rte_mbuf.h>

struct rte_ip_frag_tbl;
struct rte_ip_frag_death_row;

namespace wirelay::dataplane {

/// Owned by one worker.
class Reassembler {
 public:
  /// Packets that may be incomplete at a time, and how long each may be: the rest of a datagram
  /// comes right behind, or is lost. Who floods with parts of datagrams keeps others' from being
  /// completed for no longer than this.
  static constexpr uint32_t kMostPackets = 1024;
  /// Buffers that wait altogether: packets may have several each.
  static constexpr uint32_t kMostBuffers = 1024;
  static constexpr uint64_t kPatiencePerSecond = 4;  // a quarter of a second

  /// Throws std::runtime_error when there is no memory.
  explicit Reassembler(uint64_t tsc_hz);
  ~Reassembler();
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;

  /// Takes a fragment: an IP packet (mbuf data; its Ethernet header may stand in front), whose
  /// lengths have been checked. Returns the whole packet when this was its last part, in one
  /// buffer, its checksum right and the Ethernet header of this part in front; null while others
  /// are missing. Owns the mbuf; the caller owns what comes back.
  rte_mbuf* add(rte_mbuf* fragment, rte_mempool* pool, uint64_t now) noexcept;

  /// Fragments that were given up since the last call: incomplete, overlapping, or one too many.
  uint32_t take_lost() noexcept { return std::exchange(lost_, 0); }
  /// Fragments beyond the first of packets that came back whole, since the last call.
  uint32_t take_joined() noexcept { return std::exchange(joined_, 0); }
  /// Gives up what has waited too long.
  void expire(uint64_t now) noexcept;

 private:
  rte_mbuf* match(rte_mbuf* fragment, uint64_t now) noexcept;
  rte_mbuf* in_one_buffer(rte_mbuf* chain, rte_mempool* pool) noexcept;
  void free_dead() noexcept;

  const uint64_t patience_;  // in TSC
  uint64_t looked_ = 0;      // when expire() was last called
  uint32_t held_ = 0;        // buffers
  rte_ip_frag_tbl* table_;
  std::unique_ptr<rte_ip_frag_death_row> dead_;
  uint32_t lost_ = 0, joined_ = 0;
};

}  // namespace wirelay::dataplane
