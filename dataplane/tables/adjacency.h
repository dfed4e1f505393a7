// Next hops: the link-layer address behind each (port, IP address) that we send to: gateways, hosts
// of connected networks. Written by the control thread
// (ctrl/neighbour/neighbours.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/tables/lazy_array.h"

namespace wirelay::dataplane {

/// One word, so that address and validity change together:
/// bits 0 to 47 the MAC as it lies in memory, bit 48 resolved.
struct Adjacency {
  std::atomic<uint64_t> mac_word;  // written by the control thread
  uint16_t port;                   // DPDK port; constant while the entry lives
  std::atomic<bool> used;          // set by workers that send to it, cleared by the control thread

  static constexpr uint64_t kResolved = uint64_t{1} << 48;
};

class AdjacencyTable {
 public:
  /// At most 65,534 entries, numbered from 0.
  explicit AdjacencyTable(uint16_t capacity) : entries_(capacity) {}
  [[nodiscard]] uint16_t capacity() const noexcept {
    return static_cast<uint16_t>(entries_.size());
  }
  Adjacency& operator[](uint16_t number) noexcept { return entries_[number]; }

 private:
  LazyArray<Adjacency> entries_;
};

}  // namespace wirelay::dataplane
