// Reading routers' reports, see path_report.h.
#include "ctrl/packets/path_report.h"

#include <algorithm>

#include <netinet/in.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "crypto/wire.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace wirelay::ctrl {

namespace {

using dataplane::Endpoint;
using dataplane::IpAddr;
using dataplane::load_be16;

constexpr uint32_t kIcmpBytes = 8;
constexpr uint16_t kLeast4 = 576, kLeast6 = 1280;

struct Bytes {
  const uint8_t* at;
  uint32_t size;
};

uint32_t total_bytes(const uint8_t* ip) noexcept {
  return dataplane::ip_version(ip) == 4
             ? load_be16(ip + 2)
             : load_be16(ip + 4) + static_cast<uint32_t>(sizeof(rte_ipv6_hdr));
}

/// Behind the outer IP header, in a packet of `bytes` bytes: an ICMP message whose checksum is
/// right.
std::optional<Bytes> find_message(const uint8_t* ip, uint32_t bytes) noexcept {
  const bool v4 = dataplane::ip_version(ip) == 4;
  const uint32_t header = v4 ? dataplane::ipv4_header_bytes(ip) : sizeof(rte_ipv6_hdr);
  if (bytes < header + kIcmpBytes || total_bytes(ip) != bytes) return std::nullopt;
  const Bytes message{ip + header, bytes - header};
  const bool whole =
      v4 ? rte_raw_cksum(message.at, message.size) == 0xffff
         : rte_ipv6_udptcp_cksum(reinterpret_cast<const rte_ipv6_hdr*>(ip), message.at) == 0;
  return whole ? std::optional(message) : std::nullopt;
}

/// The headers of a transport message, as far as they are quoted; `mtu` is not known from it.
std::optional<PathReport> read_quoted(const Bytes& quoted) noexcept {
  if (quoted.size < sizeof(rte_ipv4_hdr)) return std::nullopt;
  const uint8_t* ip = quoted.at;
  const bool v4 = dataplane::ip_version(ip) == 4;
  const uint32_t header = v4 ? dataplane::ipv4_header_bytes(ip) : sizeof(rte_ipv6_hdr);
  const uint32_t least = sizeof(rte_udp_hdr) + 8;  // to the end of the receiver index
  if (quoted.size < header + least) return std::nullopt;
  // Of one that they may cut, routers do not complain.
  const bool first = !v4 || (load_be16(ip + 6) & ~RTE_IPV4_HDR_MF_FLAG) == RTE_IPV4_HDR_DF_FLAG;
  const uint8_t* udp = ip + header;
  const uint8_t* message = udp + sizeof(rte_udp_hdr);
  if (!first || ip[v4 ? 9 : 6] != IPPROTO_UDP ||
      crypto::load_le32(message) != static_cast<uint32_t>(crypto::MessageType::kTransport)) {
    return std::nullopt;
  }
  PathReport report;
  report.local = {dataplane::source_of(ip), load_be16(udp)};
  report.remote = {dataplane::destination_of(ip), load_be16(udp + 2)};
  report.receiver = crypto::load_le32(message + 4);
  return report;
}

}  // namespace

std::optional<PathReport> parse_path_report(const rte_mbuf* frame) noexcept {
  if (frame->data_len < RTE_ETHER_HDR_LEN + sizeof(rte_ipv4_hdr)) return std::nullopt;
  const auto* ip = rte_pktmbuf_mtod_offset(frame, const uint8_t*, RTE_ETHER_HDR_LEN);
  const auto message = find_message(ip, frame->data_len - RTE_ETHER_HDR_LEN);
  if (!message) return std::nullopt;
  const bool v4 = dataplane::ip_version(ip) == 4;
  const Bytes quoted{message->at + kIcmpBytes, message->size - kIcmpBytes};
  auto report = read_quoted(quoted);
  if (!report || (dataplane::ip_version(quoted.at) == 4) != v4) return std::nullopt;
  const uint32_t said = v4 ? load_be16(message->at + 6)
                           : rte_be_to_cpu_32(dataplane::load_as<uint32_t>(message->at + 4));
  if (said >= total_bytes(quoted.at)) return std::nullopt;
  report->mtu = static_cast<uint16_t>(std::max<uint32_t>(said, v4 ? kLeast4 : kLeast6));
  return report;
}

}  // namespace wirelay::ctrl
