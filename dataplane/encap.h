// From an inner IP packet to the WireGuard packet around it: padding, transport header, outer UDP
// and IP header, all within the mbuf's own headroom and tailroom (WireGuard paper, section 5.4.6).
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

#include "crypto/aead.h"
#include "dataplane/drops.h"
#include "dataplane/port.h"
#include "dataplane/tables/peer.h"
#include "dataplane/tables/session.h"

namespace wirelay::dataplane {

/// Pads the inner packet (mbuf data; may be empty: a keepalive) to a multiple of 16 bytes, no
/// further than the path's MTU, puts transport header and outer headers in front and room for the
/// tag behind, and describes the text in `out` for the engine, which seals it next. Lengths and the
/// IPv4 checksum are final; the UDP checksum is finish_encapsulation()'s. `counter` was reserved
/// from session.send_counter by the caller, who has asked encapsulation_fits() before.
void encapsulate(rte_mbuf* mbuf, const Session& session, const PeerPath& path, uint64_t counter,
                 crypto::AeadPacket& out) noexcept;

/// Drop::kCount when the packet fits path and buffer, otherwise kTooBig or kNoHeadroom.
Drop encapsulation_fits(const rte_mbuf* mbuf, const PeerPath& path) noexcept;

/// Behind the seal: the UDP checksum, which IPv6 demands (RFC 8200, 8.1), by the NIC or in
/// software. Over IPv4 it is zero, as RFC 768 allows: the tag protects the packet.
void finish_encapsulation(rte_mbuf* mbuf, const PeerPath& path, const Port& port) noexcept;

}  // namespace wirelay::dataplane
