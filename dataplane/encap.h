// From an inner IP packet to the WireGuard packet around it: padding, transport header, outer UDP
// and IP header, all within the mbuf's own headroom and tailroom (WireGuard paper, section 5.4.6).
// Inline, for it runs for every packet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include "crypto/aead.h"
#include "crypto/wire.h"
#include "dataplane/drops.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/port.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

namespace detail {

inline constexpr uint32_t kPadTo = 16;

inline uint32_t overhead(const PeerPath& path) noexcept {
  return path.header_bytes + sizeof(crypto::MessageTransport) + crypto::kTagBytes;
}

/// Bytes of text: the packet and its padding, which never makes it larger than the path takes.
inline uint32_t padded_bytes(uint32_t bytes, const PeerPath& path) noexcept {
  const uint32_t padded = (bytes + kPadTo - 1) & ~(kPadTo - 1);
  return std::min<uint32_t>(padded, path.mtu - overhead(path));
}

/// Lengths and checksum are computed from the path and written once: a header that is read back
/// right behind its copying waits for the copy.
/// `id`: for routers that fragment; the path leaves it to them (RFC 6864).
inline void write_outer4(uint8_t* at, const PeerPath& path, uint16_t bytes, uint16_t id) noexcept {
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

inline void write_outer6(uint8_t* at, const PeerPath& path, uint16_t bytes) noexcept {
  std::memcpy(at, path.header, 48);
  auto* ip = reinterpret_cast<rte_ipv6_hdr*>(at);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  ip->payload_len = udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
}

}  // namespace detail

/// The largest inner packet that the path takes.
inline uint16_t tunnel_mtu(const PeerPath& path) noexcept {
  return static_cast<uint16_t>(path.mtu - detail::overhead(path));
}

/// Drop::kNone when the packet fits path and buffer, otherwise kTooBig or kNoHeadroom.
inline Drop encapsulation_fits(const rte_mbuf* mbuf, const PeerPath& path) noexcept {
  if (mbuf->data_len + detail::overhead(path) > path.mtu) return Drop::kTooBig;
  const uint32_t front = RTE_ETHER_HDR_LEN + path.header_bytes + sizeof(crypto::MessageTransport);
  const uint32_t behind =
      detail::padded_bytes(mbuf->data_len, path) - mbuf->data_len + crypto::kTagBytes;
  if (rte_pktmbuf_headroom(mbuf) < front || rte_pktmbuf_tailroom(mbuf) < behind) {
    return Drop::kNoHeadroom;
  }
  return Drop::kNone;
}

/// Pads the inner packet (mbuf data; may be empty: a keepalive) to a multiple of 16 bytes, no
/// further than the path's MTU, puts transport header and outer headers in front and room for the
/// tag behind, and describes the text in `out` for the engine, which seals it next. Lengths and the
/// IPv4 checksum are final; the UDP checksum is finish_encapsulation()'s. `counter` was reserved
/// from session.send_counter by the caller, who has asked encapsulation_fits() before.
inline void encapsulate(rte_mbuf* mbuf, const Session& session, const PeerPath& path,
                        uint64_t counter, crypto::AeadPacket& out) noexcept {
  const uint32_t bytes = mbuf->data_len;
  const uint32_t padded = detail::padded_bytes(bytes, path);
  auto* text = rte_pktmbuf_mtod(mbuf, uint8_t*);
  static_assert(detail::kPadTo <= crypto::kTagBytes);
  std::memset(text + bytes, 0, detail::kPadTo);  // what is not padding is the tag's room

  auto* message =
      reinterpret_cast<crypto::MessageTransport*>(text - sizeof(crypto::MessageTransport));
  crypto::store_le32(reinterpret_cast<uint8_t*>(message),
                     static_cast<uint32_t>(crypto::MessageType::kTransport));
  crypto::store_le32(message->receiver, session.remote_index);
  crypto::store_le64(message->counter, counter);

  const auto total = static_cast<uint16_t>(detail::overhead(path) + padded);
  const auto front = static_cast<uint16_t>(path.header_bytes + sizeof(crypto::MessageTransport));
  if (path.v6) {
    detail::write_outer6(text - front, path, total);
  } else {
    detail::write_outer4(text - front, path, total, static_cast<uint16_t>(counter));
  }
  mbuf->data_off = static_cast<uint16_t>(mbuf->data_off - front);
  mbuf->data_len = total;
  mbuf->pkt_len = total;
  out = {session.send_key, counter, text, padded, false};
}

/// Behind the seal: the UDP checksum, which IPv6 demands (RFC 8200, 8.1), by the NIC or in
/// software. Over IPv4 it is zero, as RFC 768 allows: the tag protects the packet.
void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept;

}  // namespace wirelay::dataplane
