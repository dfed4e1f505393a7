// replay: is the counter new? Only then is the packet believed: it is counted, it sets the
// session's times, confirms a session that we answered for, and shows where the peer is now:
// packets to the peer go there from this one on, and the control thread is told afterwards.
#include "crypto/replay.h"

#include <cstring>

#include <rte_ether.h>
#include <rte_udp.h>

#include "dataplane/net/headers.h"
#include "dataplane/net/udp_checksum.h"
#include "dataplane/outer.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

Sighting sighting_of(const rte_mbuf& mbuf, const Outer& outer) noexcept {
  const bool v6 = ip_version(outer.ip) == 6;
  return {{v6 ? IpAddr::v6(outer.ip + 8) : IpAddr::v4(outer.ip + 12), load_be16(outer.udp)},
          {v6 ? IpAddr::v6(outer.ip + 24) : IpAddr::v4(outer.ip + 16), load_be16(outer.udp + 2)},
          mbuf.port};
}

/// Does the path lead from where the packet went to where it came from?
bool came_by(const PeerPath* path, const Outer& outer) noexcept {
  if (path == nullptr || path->v6 != (ip_version(outer.ip) == 6)) return false;
  const uint8_t* sent = path->header;
  const uint8_t* sent_udp = sent + path->header_bytes - sizeof(rte_udp_hdr);
  const bool ports =
      std::memcmp(outer.udp, sent_udp + 2, 2) == 0 && std::memcmp(outer.udp + 2, sent_udp, 2) == 0;
  if (path->v6) {
    return ports && std::memcmp(outer.ip + 8, sent + 24, 16) == 0 &&
           std::memcmp(outer.ip + 24, sent + 8, 16) == 0;
  }
  return ports && load_as<uint32_t>(outer.ip + 12) == load_as<uint32_t>(sent + 16) &&
         load_as<uint32_t>(outer.ip + 16) == load_as<uint32_t>(sent + 12);
}

/// The UDP checksum of an opened packet, which alone covers its ports and IPv6 addresses. It is of
/// the message as it came; the tag was right, so that sealing the text again gives just that.
bool arrived_whole(Worker& worker, const rte_mbuf& mbuf, const PacketMeta& m,
                   const Outer& outer) noexcept {
  crypto::AeadPacket packet{m.session->receive_key, m.counter, m.text, m.text_bytes, false};
  worker.engine().seal_burst({&packet, 1});
  const bool whole = udp_arrived_whole(mbuf, outer.ip, outer.udp);
  worker.engine().open_burst({&packet, 1});
  return whole;
}

/// The newest packet of its session: is the peer elsewhere than packets to it go now?
void follow(Worker& worker, const rte_mbuf& mbuf, const PacketMeta& m) noexcept {
  Session& s = *m.session;
  const Outer outer = outer_of(m);
  const uint64_t placed = m.peer_entry->placed.load(std::memory_order_acquire);
  if (s.own_moved <= placed) [[likely]] {
    if (came_by(m.peer_entry->path.load(std::memory_order_acquire), outer)) return;
  } else if (worker.shared.sessions.last_move(s).where == sighting_of(mbuf, outer)) {
    return;
  }
  if (!arrived_whole(worker, mbuf, m, outer)) return;
  worker.shared.sessions.move(s, worker.now, placed, sighting_of(mbuf, outer));
  s.unreported = true;
}

bool report(Worker& worker, EventKind kind, const Session& s) noexcept {
  return worker.report({s.index.load(std::memory_order_relaxed), kind});
}

/// A report that is not to be made yet, or found the ring full, is made with a later packet.
void report_move(Worker& worker, Session& s) noexcept {
  const uint32_t index = s.index.load(std::memory_order_relaxed);
  s.unreported =
      !worker.allowances.moves.take(worker.now, index) || !report(worker, EventKind::kMoved, s);
}

/// What an authentic, new packet brings about.
void believe(Worker& worker, const rte_mbuf& mbuf, const PacketMeta& m) noexcept {
  Session& s = *m.session;
  s.rx_packets.store(s.rx_packets.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  s.rx_tsc.store(worker.now, std::memory_order_relaxed);
  if (m.text_bytes != 0) s.rx_data_tsc.store(worker.now, std::memory_order_relaxed);
  if (!s.confirmed) s.confirmed = s.initiator || report(worker, EventKind::kConfirmed, s);
  // A packet that others of the session have overtaken shows where the peer was.
  if (m.counter + 1 == s.replay_front.greatest) follow(worker, mbuf, m);
  if (s.unreported) [[unlikely]]
    report_move(worker, s);
}

}  // namespace

void replay(Worker& worker, Burst& burst) noexcept {
  const uint32_t words = worker.shared.sessions.replay_words();
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    Session& s = *m.session;
    if (!crypto::ReplayWindow({s.replay_words, words}, s.replay_front).accept(m.counter)) {
      burst.drop(i, Drop::kReplayed);
      continue;
    }
    believe(worker, *burst.mbufs[i], m);
    if (m.text_bytes == 0) burst.drop(i, Drop::kKeepalive);
  }
}

}  // namespace wirelay::dataplane::stages
