// Putting fragments together, see reassembler.h.

#include "dataplane/reassembler.h"

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

}  // namespace

Reassembler::Reassembler(uint64_t tsc_hz)
    : table_(rte_ip_frag_table_create(kBuckets, kBucketEntries, kMostPackets,
                                      tsc_hz / kPatiencePerSecond, SOCKET_ID_ANY)),
      dead_(std::make_unique<rte_ip_frag_death_row>()) {
  if (table_ == nullptr) throw std::runtime_error("no memory for the table of fragments");
}

Reassembler::~Reassembler() {
  free_dead();
  rte_ip_frag_table_destroy(table_);
}

rte_mbuf* Reassembler::add(rte_mbuf* fragment, rte_mempool* pool, uint64_t now) noexcept {
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
  rte_ip_frag_free_death_row(dead_.get(), 0);
}

}  // namespace wirelay::dataplane
