// reassemble: puts fragments for the relay together (reassembler.h). The whole packet is classified
// anew, or goes to the lane of what is for us inside the tunnels.
#include "dataplane/pipeline.h"
#include "dataplane/reassembler.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

void go_on(Burst& burst, uint16_t i, rte_mbuf* whole) noexcept {
  burst.mbufs[i] = whole;
  PacketMeta& m = burst.meta[i];
  if (m.onward == Next::kIngress) {
    m = PacketMeta{};
    rte_pktmbuf_prepend(whole, RTE_ETHER_HDR_LEN);
    return burst.divert(i, Next::kIngress);
  }
  m.ip_bytes = whole->data_len;
  burst.divert(i, m.onward);
}

}  // namespace

void reassemble(Worker& worker, Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    // What strangers send never meets what came by a tunnel.
    Reassembler& parts = burst.plain(i) ? worker.plain_parts : worker.tunnel_parts;
    rte_mbuf* whole = parts.add(burst.mbufs[i], worker.shared.pool, worker.now);
    if (whole == nullptr) {
      burst.divert(i, Next::kSent);  // kept: no longer ours
    } else {
      go_on(burst, i, whole);
    }
  }
  worker.count_fragments();
}

}  // namespace wirelay::dataplane::stages
