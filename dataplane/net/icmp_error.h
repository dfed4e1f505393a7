// ICMP errors: which packets have one, and how a packet becomes the error that its sender gets
// (RFC 792, RFC 1812 section 4.3.2, RFC 4443 sections 2.4 and 3). Codes are those of the Linux
// kernel.
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

#include "dataplane/ip.h"

namespace wirelay::dataplane {

/// What the sender of a packet is told of its end.
enum class IcmpError : uint8_t {
  kNone,                // nothing
  kNoRoute,             // nothing leads there
  kHostUnreachable,     // it is nobody's address, or nobody answers there
  kServiceUnreachable,  // one of our addresses, but nothing listens: UDP port, or protocol
  kProhibited,          // the relay may not let it pass
  kTtlExceeded,
  kTooBig,  // and what would fit
};

/// False for what is never answered: ICMP errors, later fragments, and packets whose sender or
/// receiver is no single host (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)). `packet` begins at its IPv4 or
/// IPv6 header, of which `bytes` has at least the fixed part.
bool may_have_error(const uint8_t* packet, uint32_t bytes) noexcept;

/// Turns an IP packet (mbuf data) into the error that its source gets from `from`, of the same
/// family; it quotes as much as the narrowest tunnel takes: 496 bytes altogether, 1,200 over IPv6.
/// `mtu`: of kTooBig, as the sender counts. False when the buffer has no room in front; then the
/// packet is as it was.
bool make_icmp_error(rte_mbuf* packet, IcmpError error, uint16_t mtu, const IpAddr& from) noexcept;

}  // namespace wirelay::dataplane
