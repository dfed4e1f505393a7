// The outer headers of an opened packet: they stand in front of its text still.
#pragma once

#include <rte_ether.h>
#include <rte_udp.h>

#include "crypto/wire.h"
#include "dataplane/burst.h"

namespace wirelay::dataplane {

struct Outer {
  const uint8_t* ip;
  const uint8_t* udp;
};

inline Outer outer_of(const PacketMeta& m) noexcept {
  const uint8_t* udp = m.text - sizeof(crypto::MessageTransport) - sizeof(rte_udp_hdr);
  return {udp - (m.l4_offset - RTE_ETHER_HDR_LEN), udp};
}

}  // namespace wirelay::dataplane
