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
#include "dataplane/net/congestion.h"
#include "dataplane/net/headers.h"
#include "dataplane/port.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

namespace detail {

inline constexpr uint32_t kPadTo = 16;
/// Between an interface's MTU and that of the tunnels over it, whatever the family outside: what
/// clients are configured with (cli/client_file.cc).
inline constexpr uint32_t kTunnelOverhead = sizeof(rte_ipv6_hdr) + sizeof(rte_udp_hdr) +
                                            sizeof(crypto::MessageTransport) + crypto::kTagBytes;

inline uint32_t overhead(const PeerPath& path) noexcept {
  return path.header_bytes + sizeof(crypto::MessageTransport) + crypto::kTagBytes;
}

/// Bytes of text: the packet and its padding, which ends at the tunnel's MTU as the Linux kernel's
/// does, so that a client's path need not take more than the client was told.
inline uint32_t padded_bytes(uint32_t bytes, const PeerPath& path) noexcept {
  const uint32_t padded = (bytes + kPadTo - 1) & ~(kPadTo - 1);
  return std::min(padded, std::max<uint32_t>(bytes + kTunnelOverhead, path.mtu) - kTunnelOverhead);
}

/// Lengths and checksum are computed from the path and written once: a header that is read back
/// right behind its copying waits for the copy.
/// `id`: for routers that fragment; the path leaves it to them (RFC 6864).
inline void write_outer4(uint8_t* at, const PeerPath& path, uint16_t bytes, uint16_t id,
                         uint8_t ecn) noexcept {
  const uint16_t total = rte_cpu_to_be_16(bytes), packet_id = rte_cpu_to_be_16(id);
  const uint16_t sum = fold_sum(ipv4_sum(path.header) + total + packet_id + rte_cpu_to_be_16(ecn));
  std::memcpy(at, path.header, 28);
  auto* ip = reinterpret_cast<rte_ipv4_hdr*>(at);
  ip->type_of_service = ecn;
  ip->total_length = total;
  ip->packet_id = packet_id;
  ip->hdr_checksum = static_cast<uint16_t>(~sum);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
}

inline void write_outer6(uint8_t* at, const PeerPath& path, uint16_t bytes, uint8_t ecn) noexcept {
  std::memcpy(at, path.header, 48);
  at[1] = static_cast<uint8_t>(ecn << 4);
  auto* ip = reinterpret_cast<rte_ipv6_hdr*>(at);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  ip->payload_len = udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - sizeof *ip));
}

}  // namespace detail

/// What IPv6 may send whole over any link (RFC 8200, section 5): inside a tunnel over a narrower
/// path, what is sealed is cut.
inline constexpr uint16_t kLeastMtu6 = 1280;

/// The largest inner packet that the path takes.
inline uint16_t tunnel_mtu(const PeerPath& path) noexcept {
  return static_cast<uint16_t>(path.mtu - detail::overhead(path));
}

/// Drop::kNone when the packet, sealed and perhaps cut, fits path and buffer, otherwise kTooBig or
/// kNoHeadroom.
inline Drop encapsulation_fits(const rte_mbuf* mbuf, const PeerPath& path) noexcept {
  if (mbuf->data_len > std::max(tunnel_mtu(path), kLeastMtu6)) return Drop::kTooBig;
  const uint32_t front = RTE_ETHER_HDR_LEN + path.header_bytes + sizeof(crypto::MessageTransport);
  const uint32_t behind =
      detail::padded_bytes(mbuf->data_len, path) - mbuf->data_len + crypto::kTagBytes;
  if (rte_pktmbuf_headroom(mbuf) < front || rte_pktmbuf_tailroom(mbuf) < behind) {
    return Drop::kNoHeadroom;
  }
  return Drop::kNone;
}

/// Pads the inner packet (mbuf data; may be empty: a keepalive) to a multiple of 16 bytes, no
/// further than the tunnel's MTU, puts transport header and outer headers in front and room for the
/// tag behind, and describes the text in `out` for the engine, which seals it next. The outer
/// header has the inner one's ECN field (RFC 6040), and no DSCP. Lengths and the IPv4 checksum are
/// final; the UDP checksum is finish_encapsulation()'s. `counter` was reserved
/// from session.send_counter by the caller, who has asked encapsulation_fits() before.
inline void encapsulate(rte_mbuf* mbuf, const Session& session, const PeerPath& path,
                        uint64_t counter, crypto::AeadPacket& out) noexcept {
  const uint32_t bytes = mbuf->data_len;
  const uint32_t padded = detail::padded_bytes(bytes, path);
  auto* text = rte_pktmbuf_mtod(mbuf, uint8_t*);
  const uint8_t ecn = bytes != 0 ? ecn_of(text) : kNotEct;
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
    detail::write_outer6(text - front, path, total, ecn);
  } else {
    detail::write_outer4(text - front, path, total, static_cast<uint16_t>(counter), ecn);
  }
  mbuf->data_off = static_cast<uint16_t>(mbuf->data_off - front);
  mbuf->data_len = total;
  mbuf->pkt_len = total;
  out = {session.send_key, counter, text, padded, false};
}

/// Behind the seal: the UDP checksum, by the NIC or in software. IPv6 demands it (RFC 8200, 8.1);
/// over IPv4 a packet without one would pass no translator to IPv6 (RFC 7915, 4.5).
void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept;

}  // namespace wirelay::dataplane
