// Listener reports between bytes and meaning.
#include "ctrl/neighbour/mld.h"

#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>

#include "ctrl/neighbour/message.h"
#include "ctrl/neighbour/nd.h"

namespace wirelay::ctrl {

using dataplane::IpAddr;

namespace {

constexpr uint8_t kListenerQuery = 130, kListenerReport = 143;
/// A hop-by-hop header: the router alert of RFC 2711 for listener discovery, padded to 8 bytes.
constexpr uint8_t kRouterAlert[8] = {IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0};
constexpr uint8_t kAllReportRouters[16] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x16};

/// RFC 3810, 5.1; version 1 ends behind the group.
struct Query {
  uint8_t type, code;
  uint16_t checksum;
  uint16_t response_code;
  uint16_t reserved;
  uint8_t group[16];
};
static_assert(sizeof(Query) == 24);

/// RFC 3810, 5.2.
struct ReportHead {
  uint8_t type, reserved1;
  uint16_t checksum;
  uint16_t reserved2;
  uint16_t records;
};
struct Record {
  uint8_t type, aux_words;
  uint16_t sources;
  uint8_t group[16];
};
static_assert(sizeof(ReportHead) == 8 && sizeof(Record) == 20);

constexpr size_t kIpAt = sizeof(rte_ether_hdr), kOptionsAt = kIpAt + sizeof(rte_ipv6_hdr),
                 kMessageAt = kOptionsAt + sizeof kRouterAlert;

/// RFC 3810, 5.1.3: long times are floating point numbers.
uint32_t milliseconds(uint16_t code) noexcept {
  if (code < 0x8000) return code;
  return ((uint32_t{code} & 0x0fff) | 0x1000) << (((code >> 12) & 7) + 3);
}

/// That of the message alone: the header in front of it is none of the pseudo header's
/// (RFC 8200, 8.1).
uint16_t checksum(const rte_ipv6_hdr& ip, const void* message, size_t bytes) noexcept {
  rte_ipv6_hdr pseudo = ip;
  pseudo.proto = IPPROTO_ICMPV6;
  pseudo.payload_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes));
  return rte_ipv6_udptcp_cksum(&pseudo, message);
}

}  // namespace

std::optional<uint32_t> parse_listener_query(const rte_mbuf* frame) noexcept {
  if (rte_pktmbuf_data_len(frame) < kMessageAt + sizeof(Query)) return std::nullopt;
  const auto* ip = rte_pktmbuf_mtod_offset(frame, const rte_ipv6_hdr*, kIpAt);
  const auto* options = rte_pktmbuf_mtod_offset(frame, const uint8_t*, kOptionsAt);
  const auto* query = rte_pktmbuf_mtod_offset(frame, const Query*, kMessageAt);
  if (ip->proto != IPPROTO_HOPOPTS || options[0] != IPPROTO_ICMPV6 || options[1] != 0 ||
      query->type != kListenerQuery) {
    return std::nullopt;
  }
  return milliseconds(rte_be_to_cpu_16(query->response_code));
}

rte_mbuf* make_listener_report(rte_mempool* pool, const dataplane::Port& port, const IpAddr& source,
                               std::span<const IpAddr> groups, ListenerRecord record) noexcept {
  const IpAddr routers = IpAddr::v6(kAllReportRouters);
  const size_t bytes = sizeof(ReportHead) + groups.size() * sizeof(Record);
  rte_mbuf* frame = make_frame(pool, port, multicast_mac(routers), RTE_ETHER_TYPE_IPV6,
                               static_cast<uint16_t>(kMessageAt + bytes));
  if (frame == nullptr) return nullptr;
  auto* ip = rte_pktmbuf_mtod_offset(frame, rte_ipv6_hdr*, kIpAt);
  ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
  ip->payload_len = rte_cpu_to_be_16(static_cast<uint16_t>(sizeof kRouterAlert + bytes));
  ip->proto = IPPROTO_HOPOPTS;
  ip->hop_limits = 1;
  std::memcpy(ip->src_addr, source.bytes.data(), sizeof ip->src_addr);
  std::memcpy(ip->dst_addr, routers.bytes.data(), sizeof ip->dst_addr);
  std::memcpy(ip + 1, kRouterAlert, sizeof kRouterAlert);
  auto* head = rte_pktmbuf_mtod_offset(frame, ReportHead*, kMessageAt);
  head->type = kListenerReport;
  head->records = rte_cpu_to_be_16(static_cast<uint16_t>(groups.size()));
  auto* out = reinterpret_cast<Record*>(head + 1);
  for (const IpAddr& group : groups) {
    out->type = static_cast<uint8_t>(record);
    std::memcpy(out++->group, group.bytes.data(), sizeof out->group);
  }
  head->checksum = checksum(*ip, head, bytes);
  return frame;
}

}  // namespace wirelay::ctrl
