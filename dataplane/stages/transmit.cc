// transmit: the link-layer header in front, then to the port. Packets to a next hop that is not
// resolved wait with the control thread, as many as may (punt_allowance.h).
#include <cstring>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// The next hop's MAC word; 0 when it is not resolved.
uint64_t resolved_mac(Worker& worker, uint16_t adjacency) noexcept {
  if (adjacency == kNoAdjacency) return 0;
  Adjacency& next_hop = worker.shared.adjacencies[adjacency];
  const uint64_t word = next_hop.mac_word.load(std::memory_order_relaxed);
  // Written once, then only read, so that the line stays shared between workers.
  if (!next_hop.used.load(std::memory_order_relaxed)) {
    next_hop.used.store(true, std::memory_order_relaxed);
  }
  return (word & Adjacency::kResolved) != 0 ? word : 0;
}

/// Tells next hops apart: the adjacency, or the address of a host that has none yet.
uint64_t next_hop(const rte_mbuf* packet, uint16_t adjacency) noexcept {
  if (adjacency != kNoAdjacency) return adjacency;
  const IpAddr to = destination_of(rte_pktmbuf_mtod(packet, const uint8_t*));
  return load_as<uint64_t>(&to.bytes[0]) ^ load_as<uint64_t>(&to.bytes[8]);
}

void wait_for_neighbour(Worker& worker, Burst& burst, uint16_t i) noexcept {
  const uint64_t hop = next_hop(burst.mbufs[i], burst.meta[i].adjacency);
  if (!worker.allowances.without_neighbour.take(worker.now, hop)) {
    return burst.drop(i, Drop::kNeighbourUnresolved);
  }
  burst.mbufs[i]->port = burst.meta[i].port;
  burst.punt(i, PuntReason::kUnresolved);
}

void write_ethernet(uint8_t* frame, uint64_t mac_word, const Port& port) noexcept {
  auto* eth = reinterpret_cast<rte_ether_hdr*>(frame);
  std::memcpy(&eth->dst_addr, &mac_word, sizeof eth->dst_addr);
  eth->src_addr = port.mac;
  eth->ether_type = ip_version(frame + sizeof *eth) == 4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4)
                                                         : RTE_BE16(RTE_ETHER_TYPE_IPV6);
}

}  // namespace

void transmit(Worker& worker, Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    const uint64_t mac_word = resolved_mac(worker, m.adjacency);
    if (mac_word == 0) {
      wait_for_neighbour(worker, burst, i);
      continue;
    }
    char* frame = rte_pktmbuf_prepend(burst.mbufs[i], RTE_ETHER_HDR_LEN);
    if (frame == nullptr) {
      burst.drop(i, Drop::kNoHeadroom);
      continue;
    }
    write_ethernet(reinterpret_cast<uint8_t*>(frame), mac_word, worker.shared.ports[m.port]);
    worker.send(m.port, burst.mbufs[i]);
    burst.divert(i, Next::kSent);
  }
}

}  // namespace wirelay::dataplane::stages
