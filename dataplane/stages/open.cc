// open: decrypt and verify the burst. Behind it the mbuf's data is the inner packet; the outer
// headers still stand in front of it, unread until replay compares them.
#include <algorithm>

#include <rte_prefetch.h>

#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// Opening takes longer than memory: what replay reads of a packet's session, and the peer, arrive
/// while the packet is opened, and what hangs from the peer while the next are.
constexpr uint16_t kChunk = 32;

void strip(rte_mbuf* mbuf, const PacketMeta& m) noexcept {
  mbuf->data_off = static_cast<uint16_t>(m.text - static_cast<uint8_t*>(mbuf->buf_addr));
  mbuf->data_len = static_cast<uint16_t>(m.text_bytes);
  mbuf->pkt_len = m.text_bytes;
}

/// The window's word that replay will ask for.
const uint64_t* window_word(const Session& session, uint64_t counter, uint32_t words) noexcept {
  return session.replay_words + ((counter + 1) / 64 & (words - 1));
}

void open_chunk(Worker& worker, Burst& burst, uint16_t first, uint16_t end) noexcept {
  const uint32_t words = worker.shared.sessions.replay_words();
  crypto::AeadPacket packets[kChunk];
  for (uint16_t i = first; i < end; ++i) {
    const PacketMeta& m = burst.meta[i];
    rte_prefetch0(m.peer_entry);
    rte_prefetch0(&m.session->replay_greatest);
    rte_prefetch0(window_word(*m.session, m.counter, words));
    packets[i - first] = {m.session->receive_key, m.counter, m.text, m.text_bytes, false};
  }
  worker.engine().open_burst({packets, static_cast<size_t>(end - first)});
  for (uint16_t i = first; i < end; ++i) {
    const PacketMeta& m = burst.meta[i];
    if (!packets[i - first].authentic) {
      burst.drop(i, Drop::kBadTag);
      continue;
    }
    rte_prefetch0(m.peer_entry->path.load(std::memory_order_relaxed));
    rte_prefetch0(&worker.shared.users[m.peer_entry->user].up);
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
