// The headers around a sealed packet, see encap.h.
#include "dataplane/encap.h"

#include "dataplane/net/sum.h"

namespace wirelay::dataplane {

namespace {

void leave_to_nic(rte_mbuf* mbuf, uint8_t* ip, rte_udp_hdr& udp, bool v6) noexcept {
  mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
  mbuf->l2_len = RTE_ETHER_HDR_LEN;
  mbuf->l3_len = static_cast<uint64_t>(reinterpret_cast<uint8_t*>(&udp) - ip);
  udp.dgram_cksum = v6 ? rte_ipv6_phdr_cksum(reinterpret_cast<rte_ipv6_hdr*>(ip), mbuf->ol_flags)
                       : rte_ipv4_phdr_cksum(reinterpret_cast<rte_ipv4_hdr*>(ip), mbuf->ol_flags);
}

/// With the pseudo header, whose addresses stand in front of the UDP header in both families.
uint16_t udp_checksum(const uint8_t* udp, uint16_t length, bool v6) noexcept {
  const size_t addresses = v6 ? 32 : 8;
  const uint64_t sum = sum_of(udp - addresses, addresses + rte_be_to_cpu_16(length)) + length +
                       RTE_BE16(IPPROTO_UDP);
  const auto checksum = static_cast<uint16_t>(~fold_sum(sum));
  return checksum != 0 ? checksum : 0xffff;
}

}  // namespace

void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept {
  auto* ip = rte_pktmbuf_mtod(mbuf, uint8_t*);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + path.header_bytes - sizeof(rte_udp_hdr));
  // A NIC computes no sum over what is cut behind this.
  if (port.udp_checksum_offload && mbuf->data_len <= path.mtu) {
    leave_to_nic(mbuf, ip, *udp, path.v6);
  } else {
    // It is zero until now, as the path has it: what was written just before would be waited for.
    udp->dgram_cksum = udp_checksum(reinterpret_cast<const uint8_t*>(udp), udp->dgram_len, path.v6);
  }
}

}  // namespace wirelay::dataplane
