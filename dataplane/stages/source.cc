// source: the opened packet must be a well-formed IP packet from one of the peer's allowed IPs
// (WireGuard's cryptokey routing, paper section 2). Padding behind it is trimmed, and congestion
// that routers outside have marked is marked inside.
#include <rte_ip.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/congestion.h"
#include "dataplane/net/headers.h"
#include "dataplane/outer.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

struct Inner {
  Drop bad = Drop::kNone;  // kNone: well-formed
  uint16_t bytes = 0;      // of the IP packet
};

Inner parse4(const uint8_t* ip, uint32_t text_bytes) noexcept {
  if (text_bytes < sizeof(rte_ipv4_hdr)) return {Drop::kBadInnerPacket};
  const uint32_t header = ipv4_header_bytes(ip), total = load_be16(ip + 2);
  if (header < sizeof(rte_ipv4_hdr) || total < header || total > text_bytes ||
      !ipv4_checksum_ok(ip)) {
    return {Drop::kBadInnerPacket};
  }
  return {martian_source4(ip) ? Drop::kMartian : Drop::kNone, static_cast<uint16_t>(total)};
}

Inner parse6(const uint8_t* ip, uint32_t text_bytes) noexcept {
  if (text_bytes < sizeof(rte_ipv6_hdr)) return {Drop::kBadInnerPacket};
  const uint32_t total = load_be16(ip + 4) + static_cast<uint32_t>(sizeof(rte_ipv6_hdr));
  if (total > text_bytes) return {Drop::kBadInnerPacket};
  return {martian_source6(ip) ? Drop::kMartian : Drop::kNone, static_cast<uint16_t>(total)};
}

Inner parse(const uint8_t* ip, uint32_t text_bytes) noexcept {
  switch (ip_version(ip)) {
    case 4:
      return parse4(ip, text_bytes);
    case 6:
      return parse6(ip, text_bytes);
    default:
      return {Drop::kBadInnerPacket};
  }
}

/// Is the source the address that stands in the peer's own record?
bool own_address(const Peer& peer, uint8_t check, const uint8_t* ip) noexcept {
  if (ip_version(ip) == 4) {
    return (check & kSource4) != 0 && load_as<uint32_t>(ip + 12) == peer.source4;
  }
  return (check & kSource6) != 0 && load_as<uint64_t>(ip + 8) == load_as<uint64_t>(peer.source6) &&
         load_as<uint64_t>(ip + 16) == load_as<uint64_t>(peer.source6 + 8);
}

/// Packets whose source the peer's own record does not settle: one lookup for all of them.
class TableCheck {
 public:
  void add(uint16_t i, const uint8_t* ip) noexcept {
    packets_[count_] = i;
    sources_[count_++] = source_of(ip);
  }
  void settle(Worker& worker, Burst& burst) noexcept {
    if (count_ == 0) return;
    RouteTarget targets[kBurstSize];
    worker.shared.prefixes.lookup_burst({sources_, count_}, targets);
    for (uint16_t k = 0; k < count_; ++k) {
      const PacketMeta& m = burst.meta[packets_[k]];
      if (targets[k] != RouteTarget::make(RouteKind::kPeer, m.peer)) {
        burst.drop(packets_[k], Drop::kSourceNotAllowed);
      }
    }
  }

 private:
  uint16_t count_ = 0;
  uint16_t packets_[kBurstSize];
  IpAddr sources_[kBurstSize];
};

}  // namespace

void source(Worker& worker, Burst& burst) noexcept {
  TableCheck table;
  for (uint16_t i = 0; i < burst.count; ++i) {
    PacketMeta& m = burst.meta[i];
    burst.divert(i, Next::kForward);
    const uint8_t* ip = m.text;
    const Inner inner = parse(ip, m.text_bytes);
    if (inner.bad != Drop::kNone) {
      burst.drop(i, inner.bad);
      continue;
    }
    m.ip_bytes = inner.bytes;
    take_in_mark(outer_of(m).ip, m.text);
    burst.mbufs[i]->data_len = inner.bytes;
    burst.mbufs[i]->pkt_len = inner.bytes;
    const uint8_t check = m.peer_entry->source_check.load(std::memory_order_acquire);
    if (own_address(*m.peer_entry, check, ip)) continue;
    if ((check & kSourceTable) != 0) {
      table.add(i, ip);
    } else {
      burst.drop(i, Drop::kSourceNotAllowed);
    }
  }
  table.settle(worker, burst);
}

}  // namespace wirelay::dataplane::stages
