// replay: is the counter new? Only then is the packet believed: it is counted, it sets the
// session's times, confirms a session that we answered for, and shows where the peer is now.
#include "crypto/replay.h"

#include <cstring>

#include <rte_ether.h>
#include <rte_udp.h>

#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// The outer headers of an opened packet; they stand in front of its text.
struct Outer {
  const uint8_t* ip;
  const uint8_t* udp;
};

Outer outer_of(const PacketMeta& m) noexcept {
  const uint8_t* udp = m.text - sizeof(crypto::MessageTransport) - sizeof(rte_udp_hdr);
  return {udp - (m.l4_offset - RTE_ETHER_HDR_LEN), udp};
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

Event make_event(EventKind kind, const Worker& worker, const rte_mbuf& mbuf,
                 const Session& session) {
  Event event{};
  event.session = session.index.load(std::memory_order_relaxed);
  event.kind = kind;
  event.worker = static_cast<uint8_t>(worker.id);
  event.port = mbuf.port;
  return event;
}

/// At most one report a second and session; one that found the ring full is tried again with the
/// next packet.
void report_roaming(Worker& worker, const rte_mbuf& mbuf, Session& s, const Outer& outer) noexcept {
  if (s.roam_report_tsc != 0 && worker.now - s.roam_report_tsc < worker.shared.tsc_hz) return;
  Event event = make_event(EventKind::kRoamed, worker, mbuf, s);
  const bool v6 = ip_version(outer.ip) == 6;
  event.remote.addr = v6 ? IpAddr::v6(outer.ip + 8) : IpAddr::v4(outer.ip + 12);
  event.local.addr = v6 ? IpAddr::v6(outer.ip + 24) : IpAddr::v4(outer.ip + 16);
  event.remote.port = load_be16(outer.udp);
  event.local.port = load_be16(outer.udp + 2);
  if (worker.report(event)) s.roam_report_tsc = worker.now;
}

/// What an authentic, new packet brings about.
void believe(Worker& worker, const rte_mbuf& mbuf, const PacketMeta& m) noexcept {
  Session& s = *m.session;
  s.rx_packets.store(s.rx_packets.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  s.rx_tsc.store(worker.now, std::memory_order_relaxed);
  if (m.text_bytes != 0) s.rx_data_tsc.store(worker.now, std::memory_order_relaxed);
  if (!s.confirmed) {
    s.confirmed = s.initiator || worker.report(make_event(EventKind::kConfirmed, worker, mbuf, s));
  }
  // A packet that others of the session have overtaken shows where the peer was.
  if (m.counter + 1 != s.replay_front.greatest) return;
  const Outer outer = outer_of(m);
  if (!came_by(m.peer_entry->path.load(std::memory_order_acquire), outer)) {
    report_roaming(worker, mbuf, s, outer);
  }
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
