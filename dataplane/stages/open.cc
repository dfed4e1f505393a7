// open: decrypt and verify the burst. Behind it the mbuf's data is the inner packet; the outer
// headers still stand in front of it, unread until replay compares them.
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

void open(Worker& worker, Burst& burst) noexcept {
  crypto::AeadPacket packets[kBurstSize];
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    packets[i] = {m.session->receive_key, m.counter, m.text, m.text_bytes, false};
  }
  worker.engine().open_burst({packets, burst.count});
  for (uint16_t i = 0; i < burst.count; ++i) {
    if (!packets[i].authentic) {
      burst.drop(i, Drop::kBadTag);
      continue;
    }
    const PacketMeta& m = burst.meta[i];
    rte_mbuf* mbuf = burst.mbufs[i];
    mbuf->data_off = static_cast<uint16_t>(m.text - static_cast<uint8_t*>(mbuf->buf_addr));
    mbuf->data_len = static_cast<uint16_t>(m.text_bytes);
    mbuf->pkt_len = m.text_bytes;
  }
}

}  // namespace wirelay::dataplane::stages
