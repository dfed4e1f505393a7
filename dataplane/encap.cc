// The headers around a sealed packet, see encap.h.
#include "dataplane/encap.h"

#include <algorithm>
#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "crypto/wire.h"
#include "dataplane/headers.h"

namespace wirelay::dataplane {

namespace {

using crypto::MessageTransport;

constexpr uint32_t kPadTo = 16;

uint32_t overhead(const PeerPath& path) noexcept {
  return path.header_bytes + sizeof(MessageTransport) + crypto::kTagBytes;
}

/// Bytes of text: the packet and its padding, which never makes it larger than the path takes.
uint32_t padded_bytes(uint32_t bytes, const PeerPath& path) noexcept {
  const uint32_t padded = (bytes + kPadTo - 1) & ~(kPadTo - 1);
  return std::min<uint32_t>(padded, path.mtu - overhead(path));
}

/// Lengths and checksum are computed from the path and written once: a header that is read back
/// right behind its copying waits for the copy.
/// `id`: for routers that fragment; the path leaves it to them (RFC 6864).
void write_outer4(uint8_t* at, const PeerPath& path, uint16_t bytes, uint16_t id) noexcept {
  const uint16_t total = rte_cpu_to_be_16(bytes), packet_id = rte_cpu_to_be_16(id);
  const uint16_t sum = fold_sum(ipv4_sum(path.header) + total + packet_id);
  std::memcpy(at, path.header, 28);
  auto* ip = reinterpret_cast<rte_ipv4_hdr*>(at);
  ip->total_length = total;
  ip->packet_id = packet_id;
  ip->hdr_checksum = static_cast<uint16_t>(~sum);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
}

void write_outer6(uint8_t* at, const PeerPath& path, uint16_t bytes) noexcept {
  std::memcpy(at, path.header, 48);
  auto* ip = reinterpret_cast<rte_ipv6_hdr*>(at);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  ip->payload_len = udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
}

}  // namespace

Drop encapsulation_fits(const rte_mbuf* mbuf, const PeerPath& path) noexcept {
  if (mbuf->data_len + overhead(path) > path.mtu) return Drop::kTooBig;
  const uint32_t front = RTE_ETHER_HDR_LEN + path.header_bytes + sizeof(MessageTransport);
  const uint32_t behind = padded_bytes(mbuf->data_len, path) - mbuf->data_len + crypto::kTagBytes;
  if (rte_pktmbuf_headroom(mbuf) < front || rte_pktmbuf_tailroom(mbuf) < behind) {
    return Drop::kNoHeadroom;
  }
  return Drop::kCount;
}

void encapsulate(rte_mbuf* mbuf, const Session& session, const PeerPath& path, uint64_t counter,
                 crypto::AeadPacket& out) noexcept {
  const uint32_t bytes = mbuf->data_len;
  const uint32_t padded = padded_bytes(bytes, path);
  auto* text = rte_pktmbuf_mtod(mbuf, uint8_t*);
  static_assert(kPadTo <= crypto::kTagBytes);
  std::memset(text + bytes, 0, kPadTo);  // what is not padding is the tag's room

  auto* message = reinterpret_cast<MessageTransport*>(text - sizeof(MessageTransport));
  crypto::store_le32(reinterpret_cast<uint8_t*>(message),
                     static_cast<uint32_t>(crypto::MessageType::kTransport));
  crypto::store_le32(message->receiver, session.remote_index);
  crypto::store_le64(message->counter, counter);

  const auto total = static_cast<uint16_t>(overhead(path) + padded);
  const auto front = static_cast<uint16_t>(path.header_bytes + sizeof(MessageTransport));
  if (path.v6) {
    write_outer6(text - front, path, total);
  } else {
    write_outer4(text - front, path, total, static_cast<uint16_t>(counter));
  }
  mbuf->data_off = static_cast<uint16_t>(mbuf->data_off - front);
  mbuf->data_len = total;
  mbuf->pkt_len = total;
  out = {session.send_key, counter, text, padded, false};
}

void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept {
  if (!path.v6) return;
  auto* ip = rte_pktmbuf_mtod(mbuf, rte_ipv6_hdr*);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  if (port.udp6_checksum_offload) {
    mbuf->ol_flags |= RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM;
    mbuf->l2_len = RTE_ETHER_HDR_LEN;
    mbuf->l3_len = sizeof *ip;
    udp->dgram_cksum = rte_ipv6_phdr_cksum(ip, mbuf->ol_flags);
  } else {
    udp->dgram_cksum = 0;
    udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
  }
}

}  // namespace wirelay::dataplane
