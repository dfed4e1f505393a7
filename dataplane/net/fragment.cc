// Cutting packets into fragments, see fragment.h.
#include "dataplane/net/fragment.h"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>

#include <rte_ip_frag.h>

#include "dataplane/net/checksum.h"

namespace wirelay::dataplane {

namespace {

constexpr uint32_t kUnit = 8;  // offsets count in these
constexpr uint32_t kFragmentHeader6 = 8;

/// Bytes of a packet's payload in each fragment but the last; 0: there is no room for any.
uint32_t payload_each(uint32_t headers, uint16_t mtu) noexcept {
  return mtu < headers + kUnit ? 0 : (mtu - headers) / kUnit * kUnit;
}

uint32_t headers_of(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 ? ipv4_header_bytes(ip)
                             : static_cast<uint32_t>(sizeof(rte_ipv6_hdr)) + kFragmentHeader6;
}

uint32_t payload_of(const rte_mbuf* packet, const uint8_t* ip) noexcept {
  return packet->data_len - (ip_version(ip) == 4 ? ipv4_header_bytes(ip)
                                                 : static_cast<uint32_t>(sizeof(rte_ipv6_hdr)));
}

/// A part of a packet's payload.
struct Part {
  uint32_t offset, bytes;
  bool last;
};

/// Options that later fragments do not repeat become "no operation" (RFC 791, 3.1).
void blank_options(uint8_t* options, uint32_t bytes) noexcept {
  constexpr uint8_t kEnd = 0, kNoOperation = 1, kCopied = 0x80;
  for (uint32_t at = 0; at < bytes && options[at] != kEnd;) {
    const bool single = options[at] == kNoOperation;
    const uint32_t length = single || at + 1 == bytes ? 1 : options[at + 1];
    if (length == 0 || at + length > bytes) return;
    if ((options[at] & kCopied) == 0) std::memset(options + at, kNoOperation, length);
    at += length;
  }
}

/// Headers of one fragment at `at`; the packet may be a fragment itself.
void write_headers4(uint8_t* at, const uint8_t* ip, const Part& part) noexcept {
  const uint32_t headers = ipv4_header_bytes(ip);
  std::memcpy(at, ip, headers);
  if (part.offset != 0) blank_options(at + sizeof(rte_ipv4_hdr), headers - sizeof(rte_ipv4_hdr));
  store_be16(at + 2, static_cast<uint16_t>(headers + part.bytes));
  const uint16_t before = load_be16(ip + 6);
  const auto offset =
      static_cast<uint16_t>((before & RTE_IPV4_HDR_OFFSET_MASK) + part.offset / kUnit);
  const bool more = !part.last || (before & RTE_IPV4_HDR_MF_FLAG) != 0;
  store_be16(at + 6, static_cast<uint16_t>(offset | (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
  write_ipv4_checksum(at);
}

void write_headers6(uint8_t* at, const uint8_t* ip, const Part& part, uint32_t id) noexcept {
  std::memcpy(at, ip, sizeof(rte_ipv6_hdr));
  store_be16(at + 4, static_cast<uint16_t>(kFragmentHeader6 + part.bytes));
  uint8_t* header = at + sizeof(rte_ipv6_hdr);
  header[0] = at[6];
  header[1] = 0;
  at[6] = IPPROTO_FRAGMENT;
  store_be16(header + 2, static_cast<uint16_t>(part.offset | (part.last ? 0 : 1)));
  store_as(header + 4, rte_cpu_to_be_32(id));
}

void fill(rte_mbuf* fragment, const rte_mbuf* packet, const Part& part, uint32_t id) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  auto* at = rte_pktmbuf_mtod(fragment, uint8_t*);
  const uint32_t headers = headers_of(ip);
  if (ip_version(ip) == 4) {
    write_headers4(at, ip, part);
  } else {
    write_headers6(at, ip, part, id);
  }
  std::memcpy(at + headers, ip + packet->data_len - payload_of(packet, ip) + part.offset,
              part.bytes);
  fragment->data_len = static_cast<uint16_t>(headers + part.bytes);
  fragment->pkt_len = fragment->data_len;
  fragment->port = packet->port;
}

}  // namespace

uint16_t count_fragments(const rte_mbuf* packet, uint16_t mtu) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  const uint32_t each = payload_each(headers_of(ip), mtu);
  if (each == 0) return 0;
  const uint32_t count = (payload_of(packet, ip) + each - 1) / each;
  return count > kMostFragments ? uint16_t{0} : static_cast<uint16_t>(count);
}

bool make_fragments(const rte_mbuf* packet, uint16_t mtu, uint32_t id, rte_mempool* pool,
                    rte_mbuf** out) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  if (rte_pktmbuf_alloc_bulk(pool, out, count_fragments(packet, mtu)) != 0) return false;
  const uint32_t each = payload_each(headers_of(ip), mtu), payload = payload_of(packet, ip);
  for (uint32_t offset = 0; offset < payload; offset += each) {
    const uint32_t bytes = std::min(each, payload - offset);
    fill(*out++, packet, {offset, bytes, offset + bytes == payload}, id);
  }
  return true;
}

}  // namespace wirelay::dataplane
