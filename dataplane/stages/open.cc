// open: decrypt and verify the burst. Behind it the mbuf's data is the inner packet; the outer
// headers still stand in front of it, unread until replay compares them.
#include <algorithm>

#include <rte_prefetch.h>

#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

constexpr uint16_t kChunk = 32;

void prefetch_limits(UserTable& users, uint32_t user) noexcept {
  const uint8_t flags = users.flags(user);
  if ((flags & kLimitedUp) != 0) rte_prefetch0(&users[user].up);
  if ((flags & kCountedUp) != 0) rte_prefetch0(&users.quota(user));
}

void strip(rte_mbuf* mbuf, const PacketMeta& m) noexcept {
  mbuf->data_off = static_cast<uint16_t>(m.text - static_cast<uint8_t*>(mbuf->buf_addr));
  mbuf->data_len = static_cast<uint16_t>(m.text_bytes);
  mbuf->pkt_len = m.text_bytes;
}

void open_chunk(Worker& worker, Burst& burst, uint16_t first, uint16_t end) noexcept {
  crypto::AeadPacket packets[kChunk];
  for (uint16_t i = first; i < end; ++i) {
    const PacketMeta& m = burst.meta[i];
    packets[i - first] = {m.session->receive_key, m.counter, m.text, m.text_bytes, false};
  }
  worker.engine().open_burst({packets, static_cast<size_t>(end - first)});
  for (uint16_t i = first; i < end; ++i) {
    const PacketMeta& m = burst.meta[i];
    if (!packets[i - first].authentic) {
      burst.drop(i, Drop::kBadTag);
      continue;
    }
    prefetch_limits(worker.shared.users, m.peer_entry->user);
    rte_prefetch0(m.text);  // a long packet's end has displaced its header
    strip(burst.mbufs[i], m);
  }
}

}  // namespace

void open(Worker& worker, Burst& burst) noexcept {
  for (uint16_t first = 0; first < burst.count; first = static_cast<uint16_t>(first + kChunk)) {
    const auto end = static_cast<uint16_t>(std::min<unsigned>(first + kChunk, burst.count));
    open_chunk(worker, burst, first, end);
  }
}

}  // namespace wirelay::dataplane::stages
