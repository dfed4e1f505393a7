// The data path as a whole: tables, ports, rings and workers, and what all workers share.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "crypto/keys.h"
#include "dataplane/mailbox.h"
#include "dataplane/port.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/adjacency.h"
#include "dataplane/tables/known_sources.h"
#include "dataplane/tables/nat.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/prefix.h"
#include "dataplane/tables/session.h"
#include "dataplane/tables/user.h"

struct rte_mempool;

namespace wirelay::dataplane {

/// Groups whose users reach each other although users are isolated.
inline constexpr size_t kMostOpenGroups = 32;

/// How many of each; fixed at start, from the configuration.
struct Sizes {
  uint32_t users = 1024;
  uint32_t peers = 1024;
  uint32_t sessions = 4096;  // at least three times the peers (ctrl/protocol/sessions.h)
  uint32_t prefixes = 8192;
  uint16_t neighbours = 16384;  // shared out among the ports (ctrl/neighbour/table.h)
  uint32_t mbufs = 16384;
  uint32_t punt_ring = 1024;
  uint32_t handoff_ring = 1024;
  uint32_t replay_packets = 8192;
};

/// What every thread of the data path sees. Fields up to the tables are constant after start,
/// but for the atomic ones.
struct Shared {
  Shared(const Sizes& sizes, unsigned workers, uint64_t tsc_hz);

  const unsigned workers;
  const uint64_t tsc_hz;
  crypto::Bytes32 mac1_key{};                    // of messages to us (crypto/cookie.h)
  std::vector<uint16_t> listen_ports = {51820};  // UDP, host order; we begin from the first
  std::vector<IpAddr> tunnel_addresses;          // ours inside the tunnels
  std::vector<Port> ports;      // kMaxPorts, by DPDK port number; unused numbers have mtu 0
  rte_mempool* pool = nullptr;  // owned by whoever made it
  /// Users reach nobody of another user. Written by the control thread, read by workers.
  std::atomic<bool> isolated{false};
  /// But those of one of these groups do; 0: no group. The same.
  std::array<std::atomic<uint64_t>, kMostOpenGroups> open_groups{};
  /// Bit p: port p has no link. Written by the control thread, read by workers.
  std::atomic<uint32_t> ports_down{0};

  [[nodiscard]] bool listens_on(uint16_t udp_port) const noexcept {
    for (const uint16_t one : listen_ports) {
      if (one == udp_port) return true;
    }
    return false;
  }
  /// What holds between users from now on. Control thread.
  void set_isolation(bool isolate, const std::vector<uint64_t>& except) noexcept {
    for (size_t i = 0; i < kMostOpenGroups; ++i) {
      open_groups[i].store(i < except.size() ? except[i] : 0, std::memory_order_relaxed);
    }
    isolated.store(isolate, std::memory_order_relaxed);
  }
  /// Whether these users' group is one that isolation leaves out.
  [[nodiscard]] bool may_meet(uint32_t one, uint32_t other) const noexcept {
    const uint64_t group = users.group(one);
    if (group == 0 || group != users.group(other)) return false;
    for (const auto& open : open_groups) {
      if (open.load(std::memory_order_relaxed) == group) return true;
    }
    return false;
  }
  /// Which port address of ours this is; null when it is none.
  [[nodiscard]] const PortAddress* find_address(const IpAddr& addr) const noexcept {
    for (const Port& port : ports) {
      if (const PortAddress* found = port.find(addr)) return found;
    }
    return nullptr;
  }

  Rcu rcu;
  SessionTable sessions;
  PeerTable peers;
  PrefixTable prefixes;
  UserTable users;
  AdjacencyTable adjacencies;
  KnownSources known_sources;
  std::unique_ptr<NatTable> nat;  // null: addresses are not translated. Constant after start
  std::vector<std::unique_ptr<Mailbox>> mailboxes;  // by worker number
};

/// Bytes of a buffer, behind its headroom, for a packet of `mtu` with all its headers: whole KiB,
/// for some drivers (ixgbe) use no part of one.
uint32_t frame_room(uint16_t mtu);

/// A pool of `mbufs` buffers, each large enough for a packet of `largest_mtu` with all its headers,
/// for `threads` threads that each keep a cache. The caller frees it with rte_mempool_free() when
/// ports and rings are gone. Throws std::runtime_error when there is not enough memory.
rte_mempool* create_pool(const char* name, uint32_t mbufs, uint16_t largest_mtu, unsigned threads);

/// Memory that create_pool() takes where pages have `page_bytes`: a buffer lies within one page
/// when it fits into one, so that small pages hold one buffer each.
uint64_t pool_bytes(uint32_t mbufs, uint16_t largest_mtu, uint64_t page_bytes);

/// Which receive queues each worker polls, by worker number: queue q of a port with as many queues
/// as workers is worker q's; ports with fewer are spread so that all workers have some.
std::vector<std::vector<RxQueue>> assign_queues(const std::vector<Port>& ports, unsigned workers);

}  // namespace wirelay::dataplane
