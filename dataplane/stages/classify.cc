// classify: what is this frame, and for whom?
//
// Ethernet and outer IP headers are checked here and not looked at again. WireGuard's transport
// messages go to the inbound lane, what the control thread answers is punted, pings of the ports'
// addresses go to the local lane, and all other unicast traffic goes on to the forward lane without
// its Ethernet header, by way of the plain lane where its source may be an address inside. What is
// for us and is none of it is refused.
#include <cstring>

#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "crypto/wire.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/transport4.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/handshake.h"
#include "dataplane/stages/neighbour.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

constexpr uint16_t kFrontBytes = RTE_ETHER_HDR_LEN;
constexpr uint8_t kIcmpEchoRequest = 8;
constexpr uint8_t kIcmp6EchoRequest = 128;
constexpr uint16_t kVlan = 0x0fff;  // of a VLAN tag
constexpr uint32_t kEmptyTransport = sizeof(crypto::MessageTransport) + crypto::kTagBytes;

/// One burst's classification, with what neighbouring packets share.
class Classifier {
 public:
  Classifier(Worker& worker, Burst& burst) noexcept : worker_(worker), burst_(burst) {}

  void frame(uint16_t i) noexcept {
    rte_mbuf* mbuf = burst_.mbufs[i];
    if (mbuf->nb_segs != 1) return burst_.drop(i, Drop::kChained);
    if (mbuf->data_len < kFrontBytes) return burst_.drop(i, Drop::kTooShort);
    select_port(mbuf->port);
    const auto* eth = rte_pktmbuf_mtod(mbuf, const rte_ether_hdr*);
    to_group_ = !rte_is_same_ether_addr(&eth->dst_addr, &port_->mac);
    if (to_group_ && !group_for_us(*port_, *eth)) return burst_.drop(i, Drop::kNotOurMac);
    if (of_a_vlan(*mbuf)) [[unlikely]] {
      return burst_.drop(i, Drop::kUnknownEtherType);
    }
    // Nobody sends as a group, and echo answers to the sender.
    if (rte_is_multicast_ether_addr(&eth->src_addr)) return burst_.drop(i, Drop::kMartian);
    rte_be16_t type = eth->ether_type;
    if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) [[unlikely]] {
      type = strip_priority(mbuf);
    }
    // What went to a group of hosts is neither forwarded nor answered (RFC 1812, 5.3.4), but for
    // ARP and neighbour discovery.
    switch (type) {
      case RTE_BE16(RTE_ETHER_TYPE_IPV4):
        return to_group_ ? burst_.drop(i, Drop::kNotForUs) : ipv4(i, mbuf);
      case RTE_BE16(RTE_ETHER_TYPE_IPV6):
        return ipv6(i, mbuf);
      case RTE_BE16(RTE_ETHER_TYPE_ARP):
        return discovery(i, mbuf, check_arp(*port_, *mbuf), PuntReason::kArp);
      default:
        return burst_.drop(i, Drop::kUnknownEtherType);
    }
  }

 private:
  /// Of a VLAN whose tag the driver has taken out.
  static bool of_a_vlan(const rte_mbuf& mbuf) noexcept {
    return (mbuf.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 && (mbuf.vlan_tci & kVlan) != 0;
  }

  /// Returns the type of what a tag of VLAN 0 is in front of: it is none, and carries nothing but a
  /// priority (IEEE 802.1Q, 9.6). The MAC addresses move over it. Other tags stay.
  static rte_be16_t strip_priority(rte_mbuf* mbuf) noexcept {
    auto* front = rte_pktmbuf_mtod(mbuf, uint8_t*);
    if (mbuf->data_len < kFrontBytes + sizeof(rte_vlan_hdr) ||
        (load_be16(front + kFrontBytes) & kVlan) != 0) {
      return RTE_BE16(RTE_ETHER_TYPE_VLAN);
    }
    std::memmove(front + sizeof(rte_vlan_hdr), front, 2 * RTE_ETHER_ADDR_LEN);
    rte_pktmbuf_adj(mbuf, sizeof(rte_vlan_hdr));
    return rte_pktmbuf_mtod(mbuf, const rte_ether_hdr*)->ether_type;
  }

  void select_port(uint16_t number) noexcept {
    if (port_ != nullptr && port_->id == number) return;
    port_ = &worker_.shared.ports[number];
    known_ = IpAddr{};
    known_address_ = nullptr;
  }

  /// Is it one of our ports' addresses? Those of other ports are ours as well, but for link-local
  /// ones (RFC 1122, 3.3.4.2: the weak model, as Linux has it). Neighbouring packets mostly have
  /// the same destination.
  bool ours(const IpAddr& addr) noexcept {
    if ((worker_.own_addresses & Worker::address_bit(addr)) == 0) return false;
    if (addr != known_) {
      known_ = addr;
      known_address_ = port_->find(addr);
      if (known_address_ == nullptr && !addr.is_link_local()) {
        known_address_ = worker_.shared.find_address(addr);
      }
    }
    return known_address_ != nullptr;
  }

  void verdict(uint16_t i, Drop reason, PuntReason punt) noexcept {
    if (reason == Drop::kNone) return burst_.punt(i, punt);
    burst_.drop(i, reason);
  }

  /// `finding`: of the message itself. A host that floods leaves others their part.
  void discovery(uint16_t i, const rte_mbuf* mbuf, Drop finding, PuntReason punt) noexcept {
    const auto* eth = rte_pktmbuf_mtod(mbuf, const rte_ether_hdr*);
    uint64_t sender = 0;
    std::memcpy(&sender, &eth->src_addr, sizeof eth->src_addr);
    const bool flood =
        finding == Drop::kNone && !worker_.allowances.discovery.take(worker_.now, sender);
    verdict(i, flood ? Drop::kDiscoveryFlood : finding, punt);
  }

  void ipv4(uint16_t i, rte_mbuf* mbuf) noexcept {
    const uint8_t* ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, kFrontBytes);
    const uint32_t room = mbuf->data_len - kFrontBytes;
    if (room < sizeof(rte_ipv4_hdr)) return burst_.drop(i, Drop::kTooShort);
    const uint32_t header = ipv4_header_bytes(ip), total = load_be16(ip + 2);
    if (ip_version(ip) != 4 || header < sizeof(rte_ipv4_hdr) || total < header) {
      return burst_.drop(i, Drop::kBadIpHeader);
    }
    if (total > room) return burst_.drop(i, Drop::kTooShort);
    const uint64_t nic = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    if (nic != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
        (nic == RTE_MBUF_F_RX_IP_CKSUM_BAD || !ipv4_checksum_ok(ip))) {
      return burst_.drop(i, Drop::kBadChecksum);
    }
    if (martian_source4(ip)) return burst_.drop(i, Drop::kMartian);
    trim(mbuf, total);
    if (!ours(IpAddr::v4(ip + 16))) return plain(i, mbuf, total);

    if (is_fragment(ip)) return part(i, mbuf);
    const uint8_t* l4 = ip + header;
    if (for_a_user(ip, total)) return plain(i, mbuf, total);
    if (ip[9] == IPPROTO_UDP) return udp(i, mbuf, ip, l4, total - header);
    if (ip[9] == IPPROTO_ICMP && total > header + 1 && l4[0] == 3 && l4[1] == 4) {
      return too_big_elsewhere(i, ip);
    }
    if (ip[9] == IPPROTO_ICMP && total > header && l4[0] == kIcmpEchoRequest) {
      return local(i, mbuf, total);
    }
    unknown_service(i, mbuf);
  }

  void ipv6(uint16_t i, rte_mbuf* mbuf) noexcept {
    const uint8_t* ip = rte_pktmbuf_mtod_offset(mbuf, const uint8_t*, kFrontBytes);
    const uint32_t room = mbuf->data_len - kFrontBytes;
    if (room < sizeof(rte_ipv6_hdr)) return burst_.drop(i, Drop::kTooShort);
    const uint32_t payload = load_be16(ip + 4), total = payload + sizeof(rte_ipv6_hdr);
    if (ip_version(ip) != 6) return burst_.drop(i, Drop::kBadIpHeader);
    if (total > room) return burst_.drop(i, Drop::kTooShort);
    trim(mbuf, total);
    const uint8_t* l4 = ip + sizeof(rte_ipv6_hdr);
    const bool to_group = ip[24] == 0xff;
    if (ip[6] == IPPROTO_ICMPV6 && payload != 0 && is_neighbour_message(l4[0]) &&
        (to_group || ours(IpAddr::v6(ip + 24)))) {
      return discovery(i, mbuf, check_neighbour(*port_, ip, payload), PuntReason::kNeighbour);
    }
    if (to_group && is_listener_query(ip, payload)) {
      return discovery(i, mbuf, check_listener_query(ip), PuntReason::kNeighbour);
    }
    if (to_group_) return burst_.drop(i, Drop::kNotForUs);
    if (martian_source6(ip)) return burst_.drop(i, Drop::kMartian);
    if (!ours(IpAddr::v6(ip + 24))) return plain(i, mbuf, total);

    if (is_fragment(ip) && payload >= sizeof(rte_ipv6_fragment_ext)) return part(i, mbuf);
    if (ip[6] == IPPROTO_UDP) return udp(i, mbuf, ip, l4, payload);
    if (ip[6] == IPPROTO_ICMPV6 && payload != 0 && l4[0] == 2) return too_big_elsewhere(i, ip);
    if (ip[6] == IPPROTO_ICMPV6 && payload != 0 && l4[0] == kIcmp6EchoRequest) {
      return local(i, mbuf, total);
    }
    unknown_service(i, mbuf);
  }

  /// Looked at once it is whole.
  void part(uint16_t i, rte_mbuf* mbuf) noexcept {
    strip(mbuf);
    burst_.meta[i].onward = Next::kIngress;
    burst_.divert(i, Next::kReassembly);
  }

  /// A router says that a packet of ours did not fit.
  void too_big_elsewhere(uint16_t i, const uint8_t* ip) noexcept {
    const bool flood = !worker_.allowances.path_reports.take(worker_.now, party_of(source_of(ip)));
    verdict(i, flood ? Drop::kReportFlood : Drop::kNone, PuntReason::kPathReport);
  }

  void unknown_service(uint16_t i, rte_mbuf* mbuf) noexcept {
    strip(mbuf);
    burst_.refuse(i, Drop::kUnknownService);
  }

  /// Takes away what Ethernet padded.
  static void trim(rte_mbuf* mbuf, uint32_t ip_bytes) noexcept {
    mbuf->data_len = static_cast<uint16_t>(kFrontBytes + ip_bytes);
    mbuf->pkt_len = mbuf->data_len;
  }

  static void strip(rte_mbuf* mbuf) noexcept { rte_pktmbuf_adj(mbuf, kFrontBytes); }

  void plain(uint16_t i, rte_mbuf* mbuf, uint32_t total) noexcept {
    if (!port_->takes_plain) return burst_.drop(i, Drop::kWrongRole);
    const uint8_t* ip = rte_pktmbuf_mtod(mbuf, const uint8_t*) + kFrontBytes;
    const IpAddr source = source_of(ip);
    strip(mbuf);
    PacketMeta& m = burst_.meta[i];
    m.ip_bytes = static_cast<uint16_t>(total);
    m.onward = is_public(ip) ? Next::kNatIn : Next::kForward;
    // Mostly it is certain without a lookup that nobody inside has this address.
    burst_.divert(i, worker_.shared.prefixes.may_be_inside(source) ? Next::kPlain : m.onward);
  }

  /// Whether NAT has the destination.
  [[nodiscard]] bool is_public(const uint8_t* ip) const noexcept {
    const NatTable* nat = worker_.shared.nat.get();
    return nat != nullptr && ip_version(ip) == 4 &&
           nat->is_public(address4(ip, Side::kDestination));
  }

  /// Of a packet for an address of ours that users go out with, too: it is theirs by its port,
  /// unless it is WireGuard's, or an error about that.
  [[nodiscard]] bool for_a_user(const uint8_t* ip, uint32_t total) const noexcept {
    if (!is_public(ip)) return false;
    const Transport4 transport = transport_of(ip, total);
    if (transport == Transport4::kEchoReply) return true;
    const bool error = transport == Transport4::kError;
    if (!error && transport != Transport4::kTcp && transport != Transport4::kUdp) return false;
    const uint8_t* packet = error ? quoted4(const_cast<uint8_t*>(ip)) : ip;
    const uint16_t port = port4(packet, error ? Side::kSource : Side::kDestination);
    if (packet[9] == IPPROTO_UDP && worker_.shared.listens_on(rte_be_to_cpu_16(port))) return false;
    const NatTable& nat = *worker_.shared.nat;
    const uint32_t address = address4(ip, Side::kDestination);
    return nat.block_of(nat.index_of(address), rte_be_to_cpu_16(port)) != kNatNone ||
           nat.statics().inward(address, packet[9], port);
  }

  void local(uint16_t i, rte_mbuf* mbuf, uint32_t total) noexcept {
    strip(mbuf);
    burst_.meta[i].ip_bytes = static_cast<uint16_t>(total);
    burst_.divert(i, Next::kLocal);
  }

  /// A UDP datagram for one of our addresses, the one that ours() looked up last; `room`: bytes of
  /// the IP payload.
  void udp(uint16_t i, rte_mbuf* mbuf, const uint8_t* ip, const uint8_t* l4,
           uint32_t room) noexcept {
    if (room < sizeof(rte_udp_hdr)) return burst_.drop(i, Drop::kBadUdpLength);
    if (!worker_.shared.listens_on(load_be16(l4 + 2)) || !known_address_->listens) {
      return unknown_service(i, mbuf);
    }
    if (!port_->takes_tunnels) return burst_.drop(i, Drop::kWrongRole);
    const uint32_t bytes = load_be16(l4 + 4);
    if (bytes < sizeof(rte_udp_hdr) || bytes > room) return burst_.drop(i, Drop::kBadUdpLength);
    if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD) {
      return burst_.drop(i, Drop::kBadChecksum);
    }
    // Only tunnels whose both ends agree on it may leave the checksum out (RFC 8200, 8.1; RFC
    // 6935).
    if (load_as<uint16_t>(l4 + 6) == 0 && ip_version(ip) == 6) {
      return burst_.drop(i, Drop::kNoChecksum);
    }
    const uint8_t* message = l4 + sizeof(rte_udp_hdr);
    const auto length = static_cast<uint32_t>(bytes - sizeof(rte_udp_hdr));
    if (length < sizeof(crypto::MessageHeader)) return burst_.drop(i, Drop::kUnknownMessage);
    if (crypto::load_le32(message) == static_cast<uint32_t>(crypto::MessageType::kTransport) &&
        length >= kEmptyTransport) {
      return transport(i, mbuf, message, length);
    }
    const auto found = check_handshake(worker_, *mbuf, ip, l4, {message, length});
    verdict(i, found.drop, found.punt);
  }

  /// The UDP checksum of data is not computed here: that would read every byte once more, and the
  /// tag covers the message already, far better. What only the checksum covers are the UDP ports
  /// and IPv6 addresses: a damaged destination is mostly not ours, and a damaged source leads the
  /// peer's path astray until its next packet.
  void transport(uint16_t i, rte_mbuf* mbuf, const uint8_t* message, uint32_t length) noexcept {
    SessionTable& sessions = worker_.shared.sessions;
    PacketMeta& m = burst_.meta[i];
    m.text = const_cast<uint8_t*>(message) + sizeof(crypto::MessageTransport);
    m.text_bytes = static_cast<uint16_t>(length - kEmptyTransport);
    m.counter = crypto::load_le64(message + 8);
    m.l4_offset = static_cast<uint8_t>(message - sizeof(rte_udp_hdr) -
                                       rte_pktmbuf_mtod(mbuf, const uint8_t*));
    rte_prefetch0(sessions.slot(crypto::load_le32(message + 4)));
    burst_.divert(i, Next::kInbound);
  }

  Worker& worker_;
  Burst& burst_;
  const Port* port_ = nullptr;
  bool to_group_ = false;  // the frame that is looked at: broadcast or multicast
  IpAddr known_;
  const PortAddress* known_address_ = nullptr;  // what `known_` is of ours, or null
};

}  // namespace

void classify(Worker& worker, Burst& burst) noexcept {
  Classifier classifier(worker, burst);
  // Buffers are read in parallel here, and their data is on its way before the first is looked at.
  for (uint16_t i = 0; i < burst.count; ++i) {
    rte_prefetch0(rte_pktmbuf_mtod(burst.mbufs[i], const void*));
  }
  for (uint16_t i = 0; i < burst.count; ++i) classifier.frame(i);
}

}  // namespace wirelay::dataplane::stages
