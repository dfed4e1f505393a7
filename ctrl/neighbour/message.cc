// Frames of our own.
#include "ctrl/neighbour/message.h"

#include <cstring>

namespace wirelay::ctrl {

rte_mbuf* make_frame(rte_mempool* pool, const dataplane::Port& port, const rte_ether_addr& to,
                     uint16_t ether_type, uint16_t bytes) noexcept {
  rte_mbuf* frame = rte_pktmbuf_alloc(pool);
  if (frame == nullptr) return nullptr;
  auto* ether = reinterpret_cast<rte_ether_hdr*>(rte_pktmbuf_append(frame, bytes));
  if (ether == nullptr) {
    rte_pktmbuf_free(frame);
    return nullptr;
  }
  std::memset(ether, 0, bytes);
  ether->dst_addr = to;
  ether->src_addr = port.mac;
  ether->ether_type = rte_cpu_to_be_16(ether_type);
  frame->port = port.id;
  return frame;
}

}  // namespace wirelay::ctrl
