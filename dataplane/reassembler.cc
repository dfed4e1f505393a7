// Putting fragments together, see reassembler.h.

#include "dataplane/reassembler.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

namespace {

constexpr uint32_t kBuckets = 256, kBucketEntries = 8;

/// An IPv6 packet with a fragment header that is whole for itself, as translators make them: it
/// waits for nobody (RFC 6946).
bool is_atomic(const rte_mbuf* fragment) noexcept {
  constexpr uint16_t kOffsetAndMore = 0xfff9;
  const auto* ip = rte_pktmbuf_mtod(fragment, const uint8_t*);
  return ip_version(ip) == 6 &&
         fragment->data_len >= sizeof(rte_ipv6_hdr) + sizeof(rte_ipv6_fragment_ext) &&
         (load_be16(ip + sizeof(rte_ipv6_hdr) + 2) & kOffsetAndMore) == 0;
}

/// Moves what stands in front over it.
rte_mbuf* strip_fragment_header(rte_mbuf* packet) noexcept {
  constexpr uint16_t kHeader = sizeof(rte_ipv6_fragment_ext);
  auto* ip = rte_pktmbuf_mtod(packet, uint8_t*);
  const uint8_t next = ip[sizeof(rte_ipv6_hdr)];
  const auto payload = static_cast<uint16_t>(load_be16(ip + 4) - kHeader);
  const uint32_t in_front = std::min<uint32_t>(rte_pktmbuf_headroom(packet), RTE_ETHER_HDR_LEN);
  std::memmove(ip - in_front + kHeader, ip - in_front, in_front + sizeof(rte_ipv6_hdr));
  rte_pktmbuf_adj(packet, kHeader);
  ip += kHeader;
  ip[6] = next;
  store_be16(ip + 4, payload);
  return packet;
}

}  // namespace

Reassembler::Reassembler(uint64_t tsc_hz)
    : patience_(tsc_hz / kPatiencePerSecond),
      table_(rte_ip_frag_table_create(kBuckets, kBucketEntries, kMostPackets, patience_,
                                      SOCKET_ID_ANY)),
      dead_(std::make_unique<rte_ip_frag_death_row>()) {
  if (table_ == nullptr) throw std::runtime_error("no memory for the table of fragments");
}

Reassembler::~Reassembler() {
  free_dead();
  rte_ip_frag_table_destroy(table_);
}

rte_mbuf* Reassembler::add(rte_mbuf* fragment, rte_mempool* pool, uint64_t now) noexcept {
  if (is_atomic(fragment)) return strip_fragment_header(fragment);
  // Looking through all that wait for each of a flood would cost more than the flood.
  if (held_ == kMostBuffers && now - looked_ >= patience_ / 8) expire(now);
  if (held_ == kMostBuffers) {
    ++lost_;
    rte_pktmbuf_free(fragment);
    return nullptr;
  }
  ++held_;
  uint8_t ethernet[RTE_ETHER_HDR_LEN] = {};
  const bool framed = rte_pktmbuf_headroom(fragment) >= RTE_ETHER_HDR_LEN;
  if (framed) {
    std::memcpy(ethernet, rte_pktmbuf_mtod(fragment, uint8_t*) - RTE_ETHER_HDR_LEN,
                sizeof ethernet);
  }
  rte_mbuf* chain = match(fragment, now);
  free_dead();
  if (chain == nullptr) return nullptr;
  rte_mbuf* whole = in_one_buffer(chain, pool);
  if (whole == nullptr) return nullptr;
  std::memcpy(rte_pktmbuf_mtod(whole, uint8_t*) - RTE_ETHER_HDR_LEN, ethernet, sizeof ethernet);
  return whole;
}

rte_mbuf* Reassembler::match(rte_mbuf* fragment, uint64_t now) noexcept {
  auto* ip = rte_pktmbuf_mtod(fragment, uint8_t*);
  fragment->l2_len = 0;
  if (ip_version(ip) == 4) {
    fragment->l3_len = ipv4_header_bytes(ip) & 0x1ff;
    return rte_ipv4_frag_reassemble_packet(table_, dead_.get(), fragment, now,
                                           reinterpret_cast<rte_ipv4_hdr*>(ip));
  }
  auto* header = reinterpret_cast<rte_ipv6_hdr*>(ip);
  fragment->l3_len = sizeof(rte_ipv6_hdr) + sizeof(rte_ipv6_fragment_ext);
  return rte_ipv6_frag_reassemble_packet(table_, dead_.get(), fragment, now, header,
                                         reinterpret_cast<rte_ipv6_fragment_ext*>(header + 1));
}

/// Stages work on packets of one buffer. Frees the chain; null when the packet does not fit.
rte_mbuf* Reassembler::in_one_buffer(rte_mbuf* chain, rte_mempool* pool) noexcept {
  rte_mbuf* whole = rte_pktmbuf_alloc(pool);
  const uint32_t parts = chain->nb_segs;
  held_ -= parts;
  if (whole == nullptr || chain->pkt_len > rte_pktmbuf_tailroom(whole)) {
    lost_ += parts;
    rte_pktmbuf_free(whole);
    rte_pktmbuf_free(chain);
    return nullptr;
  }
  whole->port = chain->port;
  uint8_t* at = rte_pktmbuf_mtod(whole, uint8_t*);
  for (const rte_mbuf* part = chain; part != nullptr; part = part->next) {
    std::memcpy(at, rte_pktmbuf_mtod(part, const uint8_t*), part->data_len);
    at += part->data_len;
  }
  whole->data_len = static_cast<uint16_t>(chain->pkt_len);
  whole->pkt_len = chain->pkt_len;
  rte_pktmbuf_free(chain);
  joined_ += parts - 1;
  auto* ip = rte_pktmbuf_mtod(whole, uint8_t*);
  if (ip_version(ip) == 4) write_ipv4_checksum(ip);  // the library leaves it out
  return whole;
}

void Reassembler::expire(uint64_t now) noexcept {
  looked_ = now;
  // As many at a time as the list of the dead has places for.
  uint32_t before;
  do {
    before = lost_;
    rte_ip_frag_table_del_expired_entries(table_, dead_.get(), now);
    free_dead();
  } while (lost_ != before);
}

void Reassembler::free_dead() noexcept {
  lost_ += dead_->cnt;
  held_ -= dead_->cnt;
  rte_ip_frag_free_death_row(dead_.get(), 0);
}

}  // namespace wirelay::dataplane
