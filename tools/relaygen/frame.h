// Headers of the packets that relaygen makes, and reading those that come back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <rte_ether.h>

#include "crypto/wire.h"
#include "dataplane/ip.h"
#include "tools/relaygen/probe.h"

namespace wirelay::relaygen {

inline constexpr uint32_t kEthernetBytes = 14, kIpv4Bytes = 20, kIpv6Bytes = 40, kUdpBytes = 8;
/// What Ethernet adds to a frame on the wire: preamble 8, check sequence 4, gap 12.
inline constexpr uint32_t kWireExtraBytes = 24;
inline constexpr uint32_t kLeastFrameBytes = 60;
inline constexpr uint32_t kTransportBytes = sizeof(crypto::MessageTransport);
/// To which probes are sent: RFC 863.
inline constexpr uint16_t kDiscardPort = 9;

/// What an Ethernet frame takes of the wire's time, in bytes.
inline constexpr uint32_t wire_bytes(uint32_t frame) noexcept {
  return (frame < kLeastFrameBytes ? kLeastFrameBytes : frame) + kWireExtraBytes;
}

inline constexpr uint32_t ip_bytes(bool v4) noexcept { return v4 ? kIpv4Bytes : kIpv6Bytes; }
inline constexpr uint32_t udp_offset(bool v4) noexcept { return kEthernetBytes + ip_bytes(v4); }
inline constexpr uint32_t udp_payload_offset(bool v4) noexcept {
  return udp_offset(v4) + kUdpBytes;
}

/// The two ends of a flow inside the tunnel; both of one family.
struct FlowEnds {
  dataplane::IpAddr source, destination;
};

void write_ethernet(uint8_t* frame, const rte_ether_addr& from, const rte_ether_addr& to,
                    bool v4) noexcept;

/// IP and UDP headers in front of `payload` bytes that stand already; `at`: where the IP header
/// goes. The UDP checksum is filled for IPv6, and 0, none, for IPv4.
void write_ip_udp(uint8_t* at, const dataplane::Endpoint& from, const dataplane::Endpoint& to,
                  uint32_t payload) noexcept;

/// An inner packet of `bytes` (IP header included): probe and pattern, UDP port 9 (discard).
void write_inner(uint8_t* at, const FlowEnds& ends, const Probe& probe, uint32_t bytes) noexcept;

/// An IP packet with UDP in it, as far as it has been read.
struct UdpPacket {
  const uint8_t* ip;  // its first byte
  dataplane::Endpoint from, to;
  const uint8_t* payload;
  uint32_t payload_bytes;
  uint32_t ip_bytes;  // length of the whole IP packet
};

/// nullopt for anything but IPv4 without options or IPv6 with UDP right behind, unfragmented, of
/// consistent lengths. `bytes` may hold padding behind the packet.
std::optional<UdpPacket> read_udp(std::span<const uint8_t> bytes) noexcept;

/// Whether a packet's checksums are right: the IPv4 header's, and UDP's where there is one.
bool checksums_right(const UdpPacket& packet) noexcept;

}  // namespace wirelay::relaygen
