// ARP messages between bytes and meaning.
#include "ctrl/neighbour/arp.h"

#include <rte_arp.h>

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Port;

namespace {

constexpr uint16_t kArpFrameBytes = sizeof(rte_ether_hdr) + sizeof(rte_arp_hdr);
constexpr rte_ether_addr kBroadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

rte_mbuf* make_arp(rte_mempool* pool, const Port& port, const rte_ether_addr& to, uint16_t opcode,
                   const IpAddr& sender, const rte_ether_addr& target_mac,
                   const IpAddr& target) noexcept {
  rte_mbuf* frame = make_frame(pool, port, to, RTE_ETHER_TYPE_ARP, kArpFrameBytes);
  if (frame == nullptr) return nullptr;
  auto* arp = rte_pktmbuf_mtod_offset(frame, rte_arp_hdr*, sizeof(rte_ether_hdr));
  arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
  arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
  arp->arp_hlen = RTE_ETHER_ADDR_LEN;
  arp->arp_plen = sizeof(uint32_t);
  arp->arp_opcode = rte_cpu_to_be_16(opcode);
  arp->arp_data.arp_sha = port.mac;
  arp->arp_data.arp_sip = sender.v4_be();
  arp->arp_data.arp_tha = target_mac;
  arp->arp_data.arp_tip = target.v4_be();
  return frame;
}

bool possible_sender(const rte_arp_ipv4& data) noexcept {
  const IpAddr sender = IpAddr::v4(&data.arp_sip);
  return rte_is_valid_assigned_ether_addr(&data.arp_sha) != 0 && !sender.is_multicast();
}

}  // namespace

std::optional<NeighbourMessage> parse_arp(const rte_mbuf* frame) noexcept {
  if (rte_pktmbuf_data_len(frame) < kArpFrameBytes) return std::nullopt;
  const auto* ether = rte_pktmbuf_mtod(frame, const rte_ether_hdr*);
  const auto* arp = rte_pktmbuf_mtod_offset(frame, const rte_arp_hdr*, sizeof *ether);
  const uint16_t opcode = rte_be_to_cpu_16(arp->arp_opcode);
  if (arp->arp_hardware != rte_cpu_to_be_16(RTE_ARP_HRD_ETHER) ||
      arp->arp_protocol != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
      arp->arp_hlen != RTE_ETHER_ADDR_LEN || arp->arp_plen != sizeof(uint32_t) ||
      (opcode != RTE_ARP_OP_REQUEST && opcode != RTE_ARP_OP_REPLY) ||
      !possible_sender(arp->arp_data)) {
    return std::nullopt;
  }
  NeighbourMessage out;
  out.question = opcode == RTE_ARP_OP_REQUEST;
  out.target = IpAddr::v4(&arp->arp_data.arp_tip);
  if (arp->arp_data.arp_sip != 0) out.subject = IpAddr::v4(&arp->arp_data.arp_sip);
  out.mac = arp->arp_data.arp_sha;
  out.solicited = !out.question && rte_is_unicast_ether_addr(&ether->dst_addr) != 0;
  out.from = ether->src_addr;
  return out;
}

rte_mbuf* make_arp_request(rte_mempool* pool, const Port& port, const IpAddr& source,
                           const IpAddr& target, const rte_ether_addr* to) noexcept {
  return make_arp(pool, port, to != nullptr ? *to : kBroadcast, RTE_ARP_OP_REQUEST, source, {},
                  target);
}

rte_mbuf* make_arp_reply(rte_mempool* pool, const Port& port, const IpAddr& ours,
                         const NeighbourMessage& question) noexcept {
  return make_arp(pool, port, *question.mac, RTE_ARP_OP_REPLY, ours, *question.mac,
                  question.subject);
}

}  // namespace wirelay::ctrl
