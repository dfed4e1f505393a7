// Making and reading ARP and neighbour discovery frames.
#include "tools/relaygen/neighbour.h"

#include <cstring>

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

namespace wirelay::relaygen {

namespace {

using dataplane::IpAddr;

constexpr uint8_t kSolicitation = 135, kAdvertisement = 136;
constexpr uint8_t kSourceOption = 1, kTargetOption = 2;
constexpr uint8_t kIcmpv6 = 58;
constexpr rte_ether_addr kBroadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

struct ArpFrame {
  rte_ether_hdr ethernet;
  rte_arp_hdr arp;
};
static_assert(sizeof(ArpFrame) == 42);

/// Solicitation or advertisement with one link-layer address option.
struct DiscoveryFrame {
  rte_ether_hdr ethernet;
  rte_ipv6_hdr ip;
  uint8_t type, code;
  uint8_t checksum[2];
  uint8_t flags[4];
  uint8_t target[16];
  uint8_t option, option_length;  // in units of 8 bytes
  rte_ether_addr mac;
};
static_assert(sizeof(DiscoveryFrame) == 86);
constexpr size_t kDiscoveryWithoutOption = 78;

template <typename T>
Frame as_frame(const T& value) {
  Frame frame(sizeof value);
  std::memcpy(frame.data(), &value, sizeof value);
  return frame;
}

uint16_t ether_type(std::span<const uint8_t> frame) {
  return frame.size() < sizeof(rte_ether_hdr) ? 0
                                              : static_cast<uint16_t>(frame[12] << 8 | frame[13]);
}

Frame make_arp(uint16_t operation, const rte_ether_addr& mac, const IpAddr& self,
               const rte_ether_addr& other, const IpAddr& target) {
  ArpFrame frame{};
  frame.ethernet.src_addr = mac;
  frame.ethernet.dst_addr = operation == RTE_ARP_OP_REQUEST ? kBroadcast : other;
  frame.ethernet.ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP);
  frame.arp.arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
  frame.arp.arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
  frame.arp.arp_hlen = RTE_ETHER_ADDR_LEN;
  frame.arp.arp_plen = 4;
  frame.arp.arp_opcode = rte_cpu_to_be_16(operation);
  frame.arp.arp_data.arp_sha = mac;
  frame.arp.arp_data.arp_sip = self.v4_be();
  if (operation == RTE_ARP_OP_REPLY) frame.arp.arp_data.arp_tha = other;
  frame.arp.arp_data.arp_tip = target.v4_be();
  return as_frame(frame);
}

/// `to_mac`, `to`: receiver. `about`: the address that is asked for, or said to be ours.
Frame make_discovery(uint8_t type, const rte_ether_addr& mac, const IpAddr& self,
                     const rte_ether_addr& to_mac, const IpAddr& to, const IpAddr& about) {
  DiscoveryFrame frame{};
  frame.ethernet.src_addr = mac;
  frame.ethernet.dst_addr = to_mac;
  frame.ethernet.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6);
  frame.ip.vtc_flow = RTE_BE32(0x60000000);
  frame.ip.payload_len = RTE_BE16(sizeof frame - offsetof(DiscoveryFrame, type));
  frame.ip.proto = kIcmpv6;
  frame.ip.hop_limits = 255;
  std::memcpy(frame.ip.src_addr, self.bytes.data(), 16);
  std::memcpy(frame.ip.dst_addr, to.bytes.data(), 16);
  frame.type = type;
  frame.flags[0] = type == kAdvertisement ? 0x60 : 0;  // solicited, override
  std::memcpy(frame.target, about.bytes.data(), 16);
  frame.option = type == kAdvertisement ? kTargetOption : kSourceOption;
  frame.option_length = 1;
  frame.mac = mac;
  const rte_ipv6_hdr ip = frame.ip;
  const uint16_t sum = rte_ipv6_udptcp_cksum(&ip, &frame.type);
  std::memcpy(frame.checksum, &sum, sizeof sum);
  return as_frame(frame);
}

std::optional<DiscoveryFrame> read_discovery(std::span<const uint8_t> bytes, uint8_t type) {
  if (ether_type(bytes) != RTE_ETHER_TYPE_IPV6 || bytes.size() < kDiscoveryWithoutOption) {
    return std::nullopt;
  }
  DiscoveryFrame frame{};
  std::memcpy(&frame, bytes.data(), std::min(bytes.size(), sizeof frame));
  const bool ours = frame.ip.proto == kIcmpv6 && frame.type == type && frame.ip.hop_limits == 255;
  return ours ? std::optional(frame) : std::nullopt;
}

std::optional<ArpFrame> read_arp(std::span<const uint8_t> bytes, uint16_t operation) {
  if (ether_type(bytes) != RTE_ETHER_TYPE_ARP || bytes.size() < sizeof(ArpFrame)) {
    return std::nullopt;
  }
  ArpFrame frame;
  std::memcpy(&frame, bytes.data(), sizeof frame);
  const bool ours = frame.arp.arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) &&
                    frame.arp.arp_opcode == rte_cpu_to_be_16(operation);
  return ours ? std::optional(frame) : std::nullopt;
}

IpAddr ipv4_of(uint32_t network_order) { return IpAddr::v4(&network_order); }

}  // namespace

Frame make_question(const rte_ether_addr& mac, const IpAddr& self, const IpAddr& target) {
  if (target.is_v4()) return make_arp(RTE_ARP_OP_REQUEST, mac, self, {}, target);
  // The solicited-node group of the target (RFC 4291, section 2.7.1).
  IpAddr group;
  group.bytes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::memcpy(&group.bytes[13], &target.bytes[13], 3);
  rte_ether_addr to{{0x33, 0x33, 0xff, group.bytes[13], group.bytes[14], group.bytes[15]}};
  return make_discovery(kSolicitation, mac, self, to, group, target);
}

std::optional<Frame> make_answer(const rte_ether_addr& mac, std::span<const uint8_t> frame,
                                 const std::function<bool(const IpAddr&)>& owns) {
  if (const auto asked = read_arp(frame, RTE_ARP_OP_REQUEST)) {
    const auto& data = asked->arp.arp_data;
    const IpAddr target = ipv4_of(data.arp_tip);
    if (!owns(target)) return std::nullopt;
    return make_arp(RTE_ARP_OP_REPLY, mac, target, data.arp_sha, ipv4_of(data.arp_sip));
  }
  const auto asked = read_discovery(frame, kSolicitation);
  if (!asked) return std::nullopt;
  const IpAddr target = IpAddr::v6(asked->target), from = IpAddr::v6(asked->ip.src_addr);
  if (!owns(target) || from.is_unspecified()) return std::nullopt;
  return make_discovery(kAdvertisement, mac, target, asked->ethernet.src_addr, from, target);
}

std::optional<std::pair<IpAddr, rte_ether_addr>> read_answer(std::span<const uint8_t> frame) {
  if (const auto said = read_arp(frame, RTE_ARP_OP_REPLY)) {
    return std::pair(ipv4_of(said->arp.arp_data.arp_sip), said->arp.arp_data.arp_sha);
  }
  if (const auto said = read_discovery(frame, kAdvertisement)) {
    const bool has_option = frame.size() >= sizeof(DiscoveryFrame) && said->option == kTargetOption;
    return std::pair(IpAddr::v6(said->target), has_option ? said->mac : said->ethernet.src_addr);
  }
  return std::nullopt;
}

}  // namespace wirelay::relaygen
