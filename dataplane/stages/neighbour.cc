// Which ARP and neighbour discovery frames concern the relay, see neighbour.h.
#include "dataplane/stages/neighbour.h"

#include <algorithm>
#include <cstring>

#include <rte_arp.h>
#include <rte_ip.h>

#include "dataplane/net/headers.h"

namespace wirelay::dataplane::stages {

namespace {

constexpr uint8_t kSolicitation = 135;
constexpr uint32_t kNeighbourBytes = 24;  // ICMPv6 header, reserved or flags, target
constexpr uint8_t kQuery = 130;           // of multicast listeners
constexpr uint32_t kOptionsBytes = 8;     // a hop-by-hop header with the router alert alone
constexpr uint32_t kQueryBytes = 24;      // of the first version; the second has more
constexpr uint8_t kHopLimit = 255;        // proves that the sender is on the link

}  // namespace

bool group_for_us(const Port& port, const rte_ether_hdr& eth) noexcept {
  static constexpr uint8_t kAllNodes[6] = {0x33, 0x33, 0, 0, 0, 1};
  static constexpr uint8_t kSolicitedNode[3] = {0x33, 0x33, 0xff};
  const uint8_t* mac = eth.dst_addr.addr_bytes;
  if (rte_is_broadcast_ether_addr(&eth.dst_addr)) return true;
  if (std::memcmp(mac, kAllNodes, sizeof kAllNodes) == 0) return true;
  if (std::memcmp(mac, kSolicitedNode, sizeof kSolicitedNode) != 0) return false;
  return std::ranges::any_of(port.addresses, [mac](const PortAddress& a) {
    return !a.addr.is_v4() && std::memcmp(mac + 3, &a.addr.bytes[13], 3) == 0;
  });
}

Drop check_arp(const Port& port, const rte_mbuf& frame) noexcept {
  if (frame.data_len < RTE_ETHER_HDR_LEN + sizeof(rte_arp_hdr)) return Drop::kTooShort;
  const auto* arp = rte_pktmbuf_mtod_offset(&frame, const rte_arp_hdr*, RTE_ETHER_HDR_LEN);
  const bool known_form = arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
                          arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
                          arp->arp_hlen == RTE_ETHER_ADDR_LEN && arp->arp_plen == 4;
  const bool known_operation = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) ||
                               arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY);
  if (!known_form || !known_operation) return Drop::kNotForUs;
  const bool announced = arp->arp_data.arp_sip == arp->arp_data.arp_tip;
  return announced || port.answers_for(IpAddr::v4(&arp->arp_data.arp_tip)) ? Drop::kNone : Drop::kNotForUs;
}

Drop check_neighbour(const Port& port, const uint8_t* ip, uint32_t payload) noexcept {
  const uint8_t* icmp = ip + sizeof(rte_ipv6_hdr);
  if (payload < kNeighbourBytes) return Drop::kTooShort;
  if (ip[7] != kHopLimit || icmp[1] != 0) return Drop::kNotForUs;
  if (ip[8] == 0xff) return Drop::kMartian;
  const auto* header = reinterpret_cast<const rte_ipv6_hdr*>(ip);
  if (rte_ipv6_udptcp_cksum(header, icmp) != 0) return Drop::kBadChecksum;
  const bool asks_for_another = icmp[0] == kSolicitation && !port.owns(IpAddr::v6(icmp + 8));
  return asks_for_another ? Drop::kNotForUs : Drop::kNone;
}

bool is_listener_query(const uint8_t* ip, uint32_t payload) noexcept {
  const uint8_t* options = ip + sizeof(rte_ipv6_hdr);
  return ip[6] == IPPROTO_HOPOPTS && payload >= kOptionsBytes + kQueryBytes &&
         options[0] == IPPROTO_ICMPV6 && options[1] == 0 && options[kOptionsBytes] == kQuery;
}

Drop check_listener_query(const uint8_t* ip) noexcept {
  const bool link_local = ip[8] == 0xfe && (ip[9] & 0xc0) == 0x80;
  if (ip[7] != 1 || !link_local) return Drop::kNotForUs;
  // Its pseudo header is that of the message alone (RFC 8200, 8.1).
  rte_ipv6_hdr header;
  std::memcpy(&header, ip, sizeof header);
  header.proto = IPPROTO_ICMPV6;
  header.payload_len =
      rte_cpu_to_be_16(static_cast<uint16_t>(rte_be_to_cpu_16(header.payload_len) - kOptionsBytes));
  const uint8_t* icmp = ip + sizeof header + kOptionsBytes;
  return rte_ipv6_udptcp_cksum(&header, icmp) == 0 ? Drop::kNone : Drop::kBadChecksum;
}

}  // namespace wirelay::dataplane::stages
