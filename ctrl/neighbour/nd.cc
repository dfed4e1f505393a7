// Neighbour discovery messages between bytes and meaning.
#include "ctrl/neighbour/nd.h"

#include <array>
#include <cstring>

#include <rte_ip.h>

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Port;

namespace {

constexpr uint8_t kSolicitation = 135, kAdvertisement = 136;
constexpr uint8_t kSourceOption = 1, kTargetOption = 2;
constexpr uint8_t kHopLimit = 255;  // a packet that was forwarded cannot have it
constexpr uint8_t kRouter = 0x80, kSolicited = 0x40, kOverride = 0x20;
constexpr size_t kOptionUnit = 8;

/// Solicitation and advertisement are alike; RFC 4861, 4.3 and 4.4.
struct NdHeader {
  uint8_t type;
  uint8_t code;
  uint16_t checksum;
  uint8_t flags;
  uint8_t reserved[3];
  uint8_t target[16];
};
static_assert(sizeof(NdHeader) == 24);

struct LinkOption {
  uint8_t type;
  uint8_t units;
  rte_ether_addr mac;
};
static_assert(sizeof(LinkOption) == kOptionUnit);

constexpr uint16_t kFrameBytes =
    sizeof(rte_ether_hdr) + sizeof(rte_ipv6_hdr) + sizeof(NdHeader) + sizeof(LinkOption);

constexpr uint8_t kAllNodes[16] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
constexpr uint8_t kSolicitedNodePrefix[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

bool is_solicited_node(const IpAddr& addr) noexcept {
  return std::memcmp(addr.bytes.data(), kSolicitedNodePrefix, sizeof kSolicitedNodePrefix) == 0;
}

/// The link-layer address among the options. False when an option is malformed.
bool parse_options(const uint8_t* at, const uint8_t* end, uint8_t wanted,
                   std::optional<rte_ether_addr>& mac) noexcept {
  while (at != end) {
    if (static_cast<size_t>(end - at) < kOptionUnit) return false;
    const size_t bytes = at[1] * kOptionUnit;
    if (bytes == 0 || bytes > static_cast<size_t>(end - at)) return false;
    if (at[0] == wanted && bytes == sizeof(LinkOption)) {
      rte_ether_addr found;
      std::memcpy(&found, at + offsetof(LinkOption, mac), sizeof found);
      if (rte_is_valid_assigned_ether_addr(&found) == 0) return false;
      mac = found;
    }
    at += bytes;
  }
  return true;
}

/// What differs between the two, behind the checks that they share.
bool acceptable(const NdHeader& nd, const IpAddr& source, const IpAddr& destination,
                const NeighbourMessage& message) noexcept {
  if (nd.type == kAdvertisement) {
    return !destination.is_multicast() || (nd.flags & kSolicited) == 0;
  }
  if (!source.is_unspecified()) return true;
  return is_solicited_node(destination) && !message.mac;
}

rte_mbuf* make_nd(rte_mempool* pool, const Port& port, const rte_ether_addr& to,
                  const IpAddr& source, const IpAddr& destination, const NdHeader& head,
                  uint8_t option) noexcept {
  rte_mbuf* frame = make_frame(pool, port, to, RTE_ETHER_TYPE_IPV6, kFrameBytes);
  if (frame == nullptr) return nullptr;
  auto* ip = rte_pktmbuf_mtod_offset(frame, rte_ipv6_hdr*, sizeof(rte_ether_hdr));
  ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
  ip->payload_len = rte_cpu_to_be_16(sizeof(NdHeader) + sizeof(LinkOption));
  ip->proto = IPPROTO_ICMPV6;
  ip->hop_limits = kHopLimit;
  std::memcpy(ip->src_addr, source.bytes.data(), sizeof ip->src_addr);
  std::memcpy(ip->dst_addr, destination.bytes.data(), sizeof ip->dst_addr);
  auto* nd = reinterpret_cast<NdHeader*>(ip + 1);
  *nd = head;
  *reinterpret_cast<LinkOption*>(nd + 1) = {option, 1, port.mac};
  nd->checksum = rte_ipv6_udptcp_cksum(ip, nd);
  return frame;
}

NdHeader make_head(uint8_t type, uint8_t flags, const IpAddr& target) noexcept {
  NdHeader out{type, 0, 0, flags, {}, {}};
  std::memcpy(out.target, target.bytes.data(), sizeof out.target);
  return out;
}

}  // namespace

IpAddr solicited_node(const IpAddr& addr) noexcept {
  IpAddr out = addr;
  std::memcpy(out.bytes.data(), kSolicitedNodePrefix, sizeof kSolicitedNodePrefix);
  return out;
}

rte_ether_addr multicast_mac(const IpAddr& group) noexcept {
  rte_ether_addr out = {{0x33, 0x33, 0, 0, 0, 0}};
  std::memcpy(&out.addr_bytes[2], &group.bytes[12], 4);
  return out;
}

std::optional<NeighbourMessage> parse_nd(const rte_mbuf* frame) noexcept {
  constexpr size_t kLeast = sizeof(rte_ether_hdr) + sizeof(rte_ipv6_hdr) + sizeof(NdHeader);
  if (rte_pktmbuf_data_len(frame) < kLeast) return std::nullopt;
  const auto* ether = rte_pktmbuf_mtod(frame, const rte_ether_hdr*);
  const auto* ip = reinterpret_cast<const rte_ipv6_hdr*>(ether + 1);
  const auto* nd = reinterpret_cast<const NdHeader*>(ip + 1);
  const size_t bytes = rte_be_to_cpu_16(ip->payload_len);
  if (ip->proto != IPPROTO_ICMPV6 || ip->hop_limits != kHopLimit || nd->code != 0 ||
      (nd->type != kSolicitation && nd->type != kAdvertisement) || bytes < sizeof *nd ||
      rte_pktmbuf_data_len(frame) < kLeast - sizeof *nd + bytes ||
      rte_ipv6_udptcp_cksum(ip, nd) != 0) {
    return std::nullopt;
  }
  NeighbourMessage out;
  const IpAddr source = IpAddr::v6(ip->src_addr);
  const IpAddr target = IpAddr::v6(nd->target);
  out.question = nd->type == kSolicitation;
  out.target = target;
  out.subject = out.question ? source : target;
  out.solicited = !out.question && (nd->flags & kSolicited) != 0;
  out.replaces = out.question || (nd->flags & kOverride) != 0;
  out.from = ether->src_addr;
  const auto* options = reinterpret_cast<const uint8_t*>(nd + 1);
  const auto* end = reinterpret_cast<const uint8_t*>(nd) + bytes;
  if (target.is_multicast() ||
      !parse_options(options, end, out.question ? kSourceOption : kTargetOption, out.mac) ||
      !acceptable(*nd, source, IpAddr::v6(ip->dst_addr), out)) {
    return std::nullopt;
  }
  return out;
}

rte_mbuf* make_solicitation(rte_mempool* pool, const Port& port, const IpAddr& source,
                            const IpAddr& target, const rte_ether_addr* to) noexcept {
  const IpAddr destination = to != nullptr ? target : solicited_node(target);
  return make_nd(pool, port, to != nullptr ? *to : multicast_mac(destination), source, destination,
                 make_head(kSolicitation, 0, target), kSourceOption);
}

rte_mbuf* make_advertisement(rte_mempool* pool, const Port& port, const IpAddr& ours,
                             const NeighbourMessage& question) noexcept {
  if (question.subject.is_unspecified()) {
    const IpAddr all = IpAddr::v6(kAllNodes);
    return make_nd(pool, port, multicast_mac(all), ours, all,
                   make_head(kAdvertisement, kRouter | kOverride, ours), kTargetOption);
  }
  return make_nd(pool, port, question.mac.value_or(question.from), ours, question.subject,
                 make_head(kAdvertisement, kRouter | kSolicited | kOverride, ours), kTargetOption);
}

}  // namespace wirelay::ctrl
