// session: whose packet is it? The receiver index names slot and owner worker; strays go to their
// owner as the frames they are. Nothing is proven before the tag.
#include <rte_prefetch.h>

#include "crypto/wire.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// The window's word that replay will ask for.
const uint64_t* window_word(const Session& session, uint64_t counter, uint32_t words) noexcept {
  return session.replay_words + ((counter + 1) / 64 & (words - 1));
}

}  // namespace

void session(Worker& worker, Burst& burst) noexcept {
  Shared& shared = worker.shared;
  const IndexLayout layout = shared.sessions.layout();
  const uint32_t words = shared.sessions.replay_words();
  // classify has prefetched the slots; peers and windows arrive while the burst is opened.
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
    if (owner != worker.id) {
      m.owner = static_cast<uint8_t>(owner);
      burst.divert(i, Next::kHandoff);
      continue;
    }
    if (worker.now >= found->reject_tsc || m.counter >= crypto::kRejectAfterMessages) {
      burst.drop(i, Drop::kExpiredSession);
      continue;
    }
    m.session = found;
    m.peer = found->peer;
    m.peer_entry = &shared.peers[m.peer];
    rte_prefetch0(m.peer_entry);
    rte_prefetch0(window_word(*found, m.counter, words));
  }
}

}  // namespace wirelay::dataplane::stages
