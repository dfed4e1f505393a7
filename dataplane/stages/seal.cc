// seal: session, nonce, padding, AEAD and outer headers of packets to peers.
//
// Nonces come from the session's send counter by fetch_add alone, some at a time for the session's
// owner worker, and are never given back, so no two packets of a session, from whatever thread,
// have the same. This outranks everything else.
#include <algorithm>

#include <rte_lcore.h>
#include <rte_prefetch.h>

#include "crypto/wire.h"
#include "dataplane/encap.h"
#include "dataplane/moved_path.h"
#include "dataplane/pipeline.h"
#include "dataplane/tables/memory_order.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

// A counter is asked whether it is exhausted before it is raised, so all threads together can raise
// it past the limit by a burst each, the owner by a block. It must not wrap around then.
static_assert(Session::kOwnCounters <= kBurstSize);
static_assert(uint64_t{RTE_MAX_LCORE} * kBurstSize <= UINT64_MAX - crypto::kRejectAfterMessages);

class Sealer {
 public:
  Sealer(Worker& worker, Burst& burst) noexcept : worker_(worker), burst_(burst) {}

  void run() noexcept {
    const uint16_t count = burst_.count;
    fetch(0, std::min(kChunk, count));
    for (uint16_t first = 0; first < count; first = static_cast<uint16_t>(first + kChunk)) {
      const auto end = static_cast<uint16_t>(std::min<unsigned>(first + kChunk, count));
      chunk(first, end, static_cast<uint16_t>(std::min<unsigned>(end + kChunk, count)));
    }
  }

 private:
  /// Sealing takes longer than memory: the next packets' sessions arrive meanwhile.
  static constexpr uint16_t kChunk = 32;

  void chunk(uint16_t first, uint16_t end, uint16_t next_end) noexcept {
    ready_count_ = sealed_count_ = moved_count_ = 0;
    for (uint16_t i = first; i < end; ++i) prepare(i);
    // Atomic additions wait for all stores before them: none of theirs goes to packets.
    for (uint16_t k = 0; k < ready_count_;) {
      k = burst_.meta[ready_[k]].owner == worker_.id ? take_own(k) : reserve_run(k);
    }
    fetch(end, next_end);
    encapsulate_all();
    worker_.engine().seal_burst({packets_, sealed_count_});
    finish();
  }

  void fetch(uint16_t first, uint16_t end) noexcept {
    for (uint16_t i = first; i < end; ++i) {
      const Peer& peer = *burst_.meta[i].peer_entry;
      const Session* s = worker_.shared.sessions.slot(peer.current.load(std::memory_order_relaxed));
      rte_prefetch0(s->send_key);
      rte_prefetch0(&s->send_counter);
    }
  }

  /// Finds what the packet is sealed with, or diverts it.
  void prepare(uint16_t i) noexcept {
    PacketMeta& m = burst_.meta[i];
    SessionTable& sessions = worker_.shared.sessions;
    m.session = session_to_send(*m.peer_entry, sessions);
    PeerPath& room = moved_[moved_count_];
    m.path = way_to(worker_.shared, *m.peer_entry, m.session, room);
    if (m.path == nullptr) return burst_.drop(i, Drop::kNoEndpoint);
    if (m.path == &room) ++moved_count_;
    if (m.session == nullptr || !usable(*m.session)) return wait_for_session(i);
    m.owner = static_cast<uint8_t>(
        sessions.layout().owner(m.session->send_index.load(std::memory_order_relaxed)));
    const Drop misfit = encapsulation_fits(burst_.mbufs[i], *m.path);
    if (misfit != Drop::kNone) return burst_.drop(i, misfit);
    ready_[ready_count_++] = i;
  }

  [[nodiscard]] bool usable(const Session& s) const noexcept {
    return worker_.now < s.send_reject_tsc &&
           s.send_counter.load(std::memory_order_relaxed) < crypto::kRejectAfterMessages;
  }

  /// The control thread makes a session and sends the packet then.
  void wait_for_session(uint16_t i) noexcept {
    if (worker_.allowances.without_session.take(worker_.now, burst_.meta[i].peer)) {
      return burst_.punt(i, PuntReason::kNoSession);
    }
    burst_.drop(i, Drop::kNoSession);
  }

  /// One run of neighbouring packets of one session: one addition reserves all their counters.
  /// Returns where the next run begins.
  uint16_t reserve_run(uint16_t first) noexcept {
    Session& s = *burst_.meta[ready_[first]].session;
    uint16_t end = first;
    uint64_t bytes = 0;
    for (; end < ready_count_ && burst_.meta[ready_[end]].session == &s; ++end) {
      bytes += burst_.meta[ready_[end]].ip_bytes;
    }
    uint64_t counter = s.send_counter.fetch_add(end - first, std::memory_order_relaxed);
    for (uint16_t k = first; k < end; ++k, ++counter) {
      const uint16_t i = ready_[k];
      if (counter >= crypto::kRejectAfterMessages) {
        bytes -= burst_.meta[i].ip_bytes;
        wait_for_session(i);
        continue;
      }
      burst_.meta[i].counter = counter;
      sealed_[sealed_count_++] = i;
    }
    s.tx_packets.fetch_add(end - first, std::memory_order_relaxed);
    s.tx_bytes.fetch_add(bytes, std::memory_order_relaxed);
    note_time(s);
    return end;
  }

  /// One packet of a session of our own: a counter that is reserved already, and counts that nobody
  /// else writes. Returns the place behind it.
  uint16_t take_own(uint16_t k) noexcept {
    const uint16_t i = ready_[k];
    PacketMeta& m = burst_.meta[i];
    Session& s = *m.session;
    m.counter = s.take_own_counter();
    if (m.counter >= crypto::kRejectAfterMessages) {
      wait_for_session(i);
    } else {
      sealed_[sealed_count_++] = i;
      s.own_tx_packets.store(s.own_tx_packets.load(kRelaxed) + 1, kRelaxed);
      s.own_tx_bytes.store(s.own_tx_bytes.load(kRelaxed) + m.ip_bytes, kRelaxed);
      note_time(s);
    }
    return static_cast<uint16_t>(k + 1);
  }

  void note_time(Session& s) const noexcept {
    s.tx_tsc.store(worker_.now, std::memory_order_relaxed);
    s.tx_data_tsc.store(worker_.now, std::memory_order_relaxed);
  }

  void encapsulate_all() noexcept {
    for (uint16_t k = 0; k < sealed_count_; ++k) {
      PacketMeta& m = burst_.meta[sealed_[k]];
      const PeerPath& path = *m.path;
      encapsulate(burst_.mbufs[sealed_[k]], *m.session, path, m.counter, packets_[k]);
      m.adjacency = path.adjacency;
      m.port = path.port;
      leave(sealed_[k], path.mtu);
    }
  }

  /// What IPv6 must be able to send, and the path does not take whole, goes in parts.
  void leave(uint16_t i, uint16_t mtu) noexcept {
    if (burst_.mbufs[i]->data_len <= mtu) [[likely]] {
      return burst_.divert(i, Next::kTransmit);
    }
    burst_.meta[i].mtu = mtu;
    burst_.meta[i].onward = Next::kTransmit;
    burst_.divert(i, Next::kFragment);
  }

  /// What the outer header lacks until the packet is sealed.
  void finish() noexcept {
    for (uint16_t k = 0; k < sealed_count_; ++k) {
      const PacketMeta& m = burst_.meta[sealed_[k]];
      finish_encapsulation(burst_.mbufs[sealed_[k]], *m.path, worker_.shared.ports[m.port]);
    }
  }

  Worker& worker_;
  Burst& burst_;
  uint16_t ready_count_ = 0, sealed_count_ = 0, moved_count_ = 0;
  uint16_t ready_[kChunk];   // places in the burst of packets that have all they need
  uint16_t sealed_[kChunk];  // places of packets_
  PeerPath moved_[kChunk];   // to peers that have moved just now
  crypto::AeadPacket packets_[kChunk];
};

}  // namespace

void seal(Worker& worker, Burst& burst) noexcept { Sealer(worker, burst).run(); }

}  // namespace wirelay::dataplane::stages
