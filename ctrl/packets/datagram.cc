// Finding and making the outer headers of handshake messages.
#include "ctrl/packets/datagram.h"

#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/net/headers.h"

namespace wirelay::ctrl {

namespace {

using dataplane::IpAddr;

/// The header of type T at `offset`; null when the buffer ends before it does.
template <typename T>
const T* header_at(const rte_mbuf* frame, uint32_t offset) noexcept {
  if (offset + sizeof(T) > rte_pktmbuf_data_len(frame)) return nullptr;
  return rte_pktmbuf_mtod_offset(frame, const T*, offset);
}

}  // namespace

std::optional<Datagram> parse_frame(const rte_mbuf* frame, uint8_t worker) noexcept {
  Datagram out;
  out.port = frame->port;
  out.worker = worker;
  uint32_t offset = RTE_ETHER_HDR_LEN;
  const auto* version = header_at<uint8_t>(frame, offset);
  if (version == nullptr) return std::nullopt;
  if (*version >> 4 == 4) {
    const auto* ip = header_at<rte_ipv4_hdr>(frame, offset);
    if (ip == nullptr || ip->next_proto_id != IPPROTO_UDP) return std::nullopt;
    out.remote.addr = IpAddr::v4(&ip->src_addr);
    out.local.addr = IpAddr::v4(&ip->dst_addr);
    offset += rte_ipv4_hdr_len(ip);
  } else {
    const auto* ip = header_at<rte_ipv6_hdr>(frame, offset);
    if (ip == nullptr || ip->proto != IPPROTO_UDP) return std::nullopt;
    out.remote.addr = IpAddr::v6(ip->src_addr);
    out.local.addr = IpAddr::v6(ip->dst_addr);
    offset += sizeof *ip;
  }
  const auto* udp = header_at<rte_udp_hdr>(frame, offset);
  if (udp == nullptr) return std::nullopt;
  out.remote.port = rte_be_to_cpu_16(udp->src_port);
  out.local.port = rte_be_to_cpu_16(udp->dst_port);
  const uint32_t bytes = rte_be_to_cpu_16(udp->dgram_len);
  if (bytes < sizeof *udp || offset + bytes > rte_pktmbuf_data_len(frame)) return std::nullopt;
  out.message = {reinterpret_cast<const uint8_t*>(udp + 1), bytes - sizeof *udp};
  return out;
}

std::optional<IpAddr> destination_of(const rte_mbuf* packet) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  const size_t bytes = rte_pktmbuf_data_len(packet);
  if (bytes == 0) return std::nullopt;
  const uint8_t version = dataplane::ip_version(ip);
  const bool whole = (version == 4 && bytes >= sizeof(rte_ipv4_hdr)) ||
                     (version == 6 && bytes >= sizeof(rte_ipv6_hdr));
  if (!whole) return std::nullopt;
  return dataplane::destination_of(ip);
}

rte_mbuf* make_datagram(rte_mempool* pool, const dataplane::PeerPath& path,
                        std::span<const uint8_t> message, uint8_t traffic_class) noexcept {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool);
  if (mbuf == nullptr) return nullptr;
  const auto bytes = static_cast<uint16_t>(path.header_bytes + message.size());
  auto* at = reinterpret_cast<uint8_t*>(rte_pktmbuf_append(mbuf, bytes));
  if (at == nullptr) {
    rte_pktmbuf_free(mbuf);
    return nullptr;
  }
  std::memcpy(at, path.header, path.header_bytes);
  std::memcpy(at + path.header_bytes, message.data(), message.size());
  auto* udp = reinterpret_cast<rte_udp_hdr*>(at + path.header_bytes - sizeof(rte_udp_hdr));
  udp->dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(sizeof *udp + message.size()));
  if (path.v6) {
    auto* ip = reinterpret_cast<rte_ipv6_hdr*>(at);
    ip->vtc_flow |= rte_cpu_to_be_32(uint32_t{traffic_class} << RTE_IPV6_HDR_TC_SHIFT);
    ip->payload_len = udp->dgram_len;
    udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
  } else {
    auto* ip = reinterpret_cast<rte_ipv4_hdr*>(at);
    ip->type_of_service = traffic_class;
    ip->total_length = rte_cpu_to_be_16(bytes);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
  }
  return mbuf;
}

SourceBytes source_bytes(const dataplane::Endpoint& remote) noexcept {
  SourceBytes out;
  std::memcpy(out.data(), remote.addr.bytes.data(), remote.addr.bytes.size());
  std::memcpy(out.data() + remote.addr.bytes.size(), &remote.port, sizeof remote.port);
  return out;
}

}  // namespace wirelay::ctrl
