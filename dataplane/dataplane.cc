// What all workers share, its pool, and who polls which queue; see dataplane.h.
#include "dataplane/dataplane.h"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace wirelay::dataplane {

namespace {

/// Smallest data room: drivers such as af_packet want room for 2 KiB frames.
constexpr uint32_t kLeastRoom = 2048;
/// Ethernet header with two VLAN tags, frame check sequence, and what drivers put in front: the
/// kernel's header of an af_packet frame takes 66 bytes.
constexpr uint32_t kFrameOverhead = 96;
constexpr uint32_t kKiB = 1024;

unsigned cache_size(uint32_t mbufs, unsigned threads) {
  // A cache must not hold what the others wait for.
  uint32_t size = RTE_MEMPOOL_CACHE_MAX_SIZE;
  while (size > 32 && size * 2 * threads > mbufs / 2) size /= 2;
  return size;
}

/// Of one buffer, headroom included.
uint32_t buffer_room(uint16_t largest_mtu) {
  return RTE_PKTMBUF_HEADROOM + frame_room(largest_mtu);
}

}  // namespace

Shared::Shared(const Sizes& sizes, unsigned worker_count, uint64_t hz)
    : workers(worker_count),
      tsc_hz(hz),
      ports(kMaxPorts),
      rcu(worker_count),
      sessions(sizes.sessions, worker_count, sizes.replay_packets),
      peers(sizes.peers),
      prefixes(sizes.prefixes),
      users(sizes.users, hz),
      adjacencies(sizes.neighbours),
      known_sources(sizes.peers, hz) {
  for (Port& port : ports) port.mtu = port.rx_queues = port.tx_queues = 0;
  for (unsigned i = 0; i < worker_count; ++i) {
    mailboxes.push_back(std::make_unique<Mailbox>(i, sizes.punt_ring, sizes.handoff_ring));
  }
}

uint32_t frame_room(uint16_t mtu) {
  return std::max<uint32_t>((mtu + kFrameOverhead + kKiB - 1) / kKiB * kKiB, kLeastRoom);
}

rte_mempool* create_pool(const char* name, uint32_t mbufs, uint16_t largest_mtu, unsigned threads) {
  const uint32_t room = buffer_room(largest_mtu);
  if (room > UINT16_MAX)
    throw std::runtime_error("an MTU of " + std::to_string(largest_mtu) + " is too large");
  rte_mempool* pool = rte_pktmbuf_pool_create(name, mbufs, cache_size(mbufs, threads), 0,
                                              static_cast<uint16_t>(room), SOCKET_ID_ANY);
  if (pool == nullptr) {
    throw std::runtime_error("no memory for " + std::to_string(mbufs) + " packet buffers of " +
                             std::to_string(room) + " bytes: " + rte_strerror(rte_errno));
  }
  return pool;
}

uint64_t pool_bytes(uint32_t mbufs, uint16_t largest_mtu, uint64_t page_bytes) {
  const uint64_t object = rte_mempool_calc_obj_size(
      static_cast<uint32_t>(sizeof(rte_mbuf)) + buffer_room(largest_mtu), 0, nullptr);
  const uint64_t buffers =
      object > page_bytes ? mbufs * ((object + page_bytes - 1) / page_bytes * page_bytes)
                          : (mbufs + page_bytes / object - 1) / (page_bytes / object) * page_bytes;
  const uint64_t ring = sizeof(void*) * std::bit_ceil(uint64_t{mbufs} + 1);
  return buffers + ring + sizeof(rte_mempool) + RTE_MAX_LCORE * sizeof(rte_mempool_cache);
}

std::vector<std::vector<RxQueue>> assign_queues(const std::vector<Port>& ports, unsigned workers) {
  std::vector<std::vector<RxQueue>> assigned(workers);
  unsigned next = 0;  // where ports with fewer queues than workers go on
  for (const Port& port : ports) {
    if (port.mtu == 0) continue;
    const bool even = port.rx_queues % workers == 0;
    for (uint16_t q = 0; q < port.rx_queues; ++q) {
      assigned[even ? q % workers : next++ % workers].push_back({port.id, q});
    }
  }
  return assigned;
}

}  // namespace wirelay::dataplane
