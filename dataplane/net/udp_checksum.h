// UDP checksums of outer packets: the NIC's finding where there is one, else ours.
#pragma once

#include <rte_mbuf.h>

#include "dataplane/net/checksum.h"

namespace wirelay::dataplane {

/// Is the datagram's checksum right, or absent over IPv4? `ip`, `udp`: its headers within `frame`.
inline bool udp_arrived_whole(const rte_mbuf& frame, const uint8_t* ip,
                              const uint8_t* udp) noexcept {
  const uint64_t nic = frame.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
  if (nic == RTE_MBUF_F_RX_L4_CKSUM_BAD) return false;
  // "None" means: not filled in yet, but the datagram is whole, as between virtual machines.
  return nic == RTE_MBUF_F_RX_L4_CKSUM_GOOD || nic == RTE_MBUF_F_RX_L4_CKSUM_NONE ||
         udp_checksum_ok(ip, udp, load_be16(udp + 4));
}

}  // namespace wirelay::dataplane
