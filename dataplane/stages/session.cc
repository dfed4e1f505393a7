// session: whose packet is it? The receiver index names slot and owner worker; strays go to their
// owner as the frames they are. Nothing is proven before the tag.
#include <rte_prefetch.h>

#include "crypto/wire.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

constexpr uint32_t kShortText = 48;  // and its tag end within the first line behind it

/// What open reads first: the end of the text's first line, and the next one. Whatever else of a
/// packet is not in the cache comes behind, while the first are opened.
void fetch_text(const Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    rte_prefetch0(m.text + RTE_CACHE_LINE_SIZE - 1);
    if (m.text_bytes > kShortText) rte_prefetch0(m.text + 2 * RTE_CACHE_LINE_SIZE - 1);
  }
}

}  // namespace

void session(Worker& worker, Burst& burst) noexcept {
  fetch_text(burst);
  Shared& shared = worker.shared;
  const IndexLayout layout = shared.sessions.layout();
  // classify has prefetched the slots; what is prefetched here arrives while packets are opened.
  for (uint16_t i = 0; i < burst.count; ++i) {
    PacketMeta& m = burst.meta[i];
    const uint8_t* message = m.text - sizeof(crypto::MessageTransport);
    const uint32_t index = crypto::load_le32(message + 4);
    Session* found = shared.sessions.find(index);
    if (found == nullptr) {
      burst.drop(i, Drop::kUnknownSession);
      continue;
    }
    const uint32_t owner = layout.owner(index);
    m.owner = static_cast<uint8_t>(owner);
    if (owner != worker.id) {
      burst.divert(i, Next::kHandoff);
      continue;
    }
    if (worker.now >= found->reject_tsc || m.counter >= crypto::kRejectAfterMessages) {
      burst.drop(i, Drop::kExpiredSession);
      continue;
    }
    m.session = found;
    m.peer = m.sender = found->peer;
    m.peer_entry = &shared.peers[m.peer];
    rte_prefetch0(&found->replay_front);
    shared.peers.prefetch(m.peer);
  }
}

}  // namespace wirelay::dataplane::stages
