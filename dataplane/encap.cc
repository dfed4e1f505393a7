// The headers around a sealed packet, see encap.h.
#include "dataplane/encap.h"

namespace wirelay::dataplane {

void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept {
  if (!path.v6) return;
  auto* ip = rte_pktmbuf_mtod(mbuf, rte_ipv6_hdr*);
  auto* udp = reinterpret_cast<rte_udp_hdr*>(ip + 1);
  if (port.udp6_checksum_offload) {
    mbuf->ol_flags |= RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM;
    mbuf->l2_len = RTE_ETHER_HDR_LEN;
    mbuf->l3_len = sizeof *ip;
    udp->dgram_cksum = rte_ipv6_phdr_cksum(ip, mbuf->ol_flags);
  } else {
    udp->dgram_cksum = 0;
    udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
  }
}

}  // namespace wirelay::dataplane
