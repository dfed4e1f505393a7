// What NAT goes by and what it changes of an IPv4 packet: protocol, addresses, ports or the
// identifier of a ping, and the packet that an ICMP error quotes. Checksums follow what changes
// (RFC 1624); a UDP checksum that was left out stays so (RFC 768).
#pragma once

#include <cstdint>

#include <netinet/in.h>

#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

enum class Transport4 : uint8_t {
  kTcp,
  kUdp,
  kEchoRequest,
  kEchoReply,
  kError,    // an ICMP error that quotes the beginning of one of the others
  kOther,    // what has no ports
  kDamaged,  // shorter than its headers, or an error with a wrong checksum (RFC 5508, REQ-3)
};

/// One end of a packet.
enum class Side : uint8_t { kSource, kDestination };

/// `ip`: a whole packet of `bytes` bytes whose IPv4 header has been checked.
Transport4 transport_of(const uint8_t* ip, uint32_t bytes) noexcept;

/// Of a TCP segment behind an IPv4 header.
inline uint8_t tcp_flags4(const uint8_t* ip) noexcept { return ip[ipv4_header_bytes(ip) + 13]; }

inline uint32_t address4(const uint8_t* ip, Side side) noexcept {
  return load_as<uint32_t>(ip + (side == Side::kSource ? 12 : 16));
}

/// Port or, of a ping, its identifier; in network order. Not of kError, kOther and kDamaged.
inline uint16_t port4(const uint8_t* ip, Side side) noexcept {
  const uint8_t* l4 = ip + ipv4_header_bytes(ip);
  if (ip[9] == IPPROTO_ICMP) return load_as<uint16_t>(l4 + 4);
  return load_as<uint16_t>(l4 + (side == Side::kSource ? 0 : 2));
}

/// The packet that a kError quotes: its addresses, ports and protocol are there, the rest may not
/// be.
inline uint8_t* quoted4(uint8_t* ip) noexcept { return ip + ipv4_header_bytes(ip) + 8; }

/// The port of TCP or UDP, or of an error's quoted packet, at `side` of the packet; zero for what
/// has none. In network order.
uint16_t service_port4(const uint8_t* ip, Transport4 transport, Side side) noexcept;

/// Gives one end of a packet another address, in network order, and leaves all else. For what no
/// checksum covers with its addresses but the header's.
void rewrite_address4(uint8_t* ip, Side side, uint32_t address) noexcept;

/// Gives one end of a packet another address and port, both in network order. `bytes`: how many of
/// the packet are there. Not for kError, kOther and kDamaged.
void rewrite4(uint8_t* ip, uint32_t bytes, Side side, uint32_t address, uint16_t port) noexcept;

/// The same for a kError of `bytes` bytes: its own address at `side`, and the other end of the
/// packet that it quotes, which is the same host.
void rewrite_error4(uint8_t* ip, uint32_t bytes, Side side, uint32_t address,
                    uint16_t port) noexcept;

/// Any of these, but kDamaged: where it has a port of TCP or UDP, that changes, too.
void rewrite_any4(uint8_t* ip, uint32_t bytes, Transport4 transport, Side side, uint32_t address,
                  uint16_t port) noexcept;

}  // namespace wirelay::dataplane
