// Ports, pings and quoted packets of IPv4, see transport4.h.
#include "dataplane/net/transport4.h"

#include <rte_ip.h>

#include "dataplane/net/checksum.h"

namespace wirelay::dataplane {

namespace {

constexpr uint32_t kTcpHeader = 20, kUdpHeader = 8, kIcmpHeader = 8;
constexpr uint32_t kTcpChecksum = 16, kUdpChecksum = 6, kIcmpChecksum = 2;
constexpr uint32_t kQuotedLeast = 8;  // bytes of what was in the quoted packet (RFC 792)
constexpr uint8_t kReply = 0, kUnreachable = 3, kRequest = 8, kExceeded = 11, kParameter = 12;

constexpr Side opposite(Side side) noexcept {
  return side == Side::kSource ? Side::kDestination : Side::kSource;
}

/// Has it addresses and ports that can be told?
bool is_quotation(const uint8_t* ip, uint32_t bytes) noexcept {
  if (bytes < sizeof(rte_ipv4_hdr) || ip_version(ip) != 4) return false;
  const uint32_t header = ipv4_header_bytes(ip);
  const bool later = (load_be16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK) != 0;
  if (header < sizeof(rte_ipv4_hdr) || bytes < header + kQuotedLeast || later) return false;
  if (ip[9] == IPPROTO_ICMP) return ip[header] == kRequest || ip[header] == kReply;
  return ip[9] == IPPROTO_TCP || ip[9] == IPPROTO_UDP;
}

Transport4 icmp_of(const uint8_t* icmp, uint32_t bytes) noexcept {
  if (bytes < kIcmpHeader) return Transport4::kDamaged;
  switch (icmp[0]) {
    case kRequest:
      return icmp[1] == 0 ? Transport4::kEchoRequest : Transport4::kOther;
    case kReply:
      return icmp[1] == 0 ? Transport4::kEchoReply : Transport4::kOther;
    case kUnreachable:
    case kExceeded:
    case kParameter:
      if (rte_raw_cksum(icmp, bytes) != 0xffff) return Transport4::kDamaged;
      return is_quotation(icmp + kIcmpHeader, bytes - kIcmpHeader) ? Transport4::kError
                                                                   : Transport4::kOther;
    default:
      return Transport4::kOther;
  }
}

/// A checksum when a 32-bit word that it covers changes.
uint16_t adjust_for_address(uint16_t checksum, uint32_t before, uint32_t after) noexcept {
  checksum = adjust_checksum(checksum, static_cast<uint16_t>(before), static_cast<uint16_t>(after));
  return adjust_checksum(checksum, static_cast<uint16_t>(before >> 16),
                         static_cast<uint16_t>(after >> 16));
}

struct Change {
  uint32_t address_before, address;
  uint16_t port_before, port;
};

/// Ports and addresses are both covered.
void adjust_transport(uint8_t* checksum, const Change& c) noexcept {
  const uint16_t sum = adjust_for_address(load_as<uint16_t>(checksum), c.address_before, c.address);
  store_as(checksum, adjust_checksum(sum, c.port_before, c.port));
}

/// Of what `room` bytes are there of.
void adjust_payload(uint8_t protocol, uint8_t* l4, uint32_t room, const Change& c) noexcept {
  if (protocol == IPPROTO_ICMP) {  // no addresses
    store_as(l4 + kIcmpChecksum,
             adjust_checksum(load_as<uint16_t>(l4 + kIcmpChecksum), c.port_before, c.port));
  } else if (protocol == IPPROTO_TCP) {
    if (room >= kTcpChecksum + 2) adjust_transport(l4 + kTcpChecksum, c);
  } else if (load_as<uint16_t>(l4 + kUdpChecksum) != 0) {
    adjust_transport(l4 + kUdpChecksum, c);
    // A sum of zero is written as all ones: zero is none.
    if (load_as<uint16_t>(l4 + kUdpChecksum) == 0) store_as(l4 + kUdpChecksum, uint16_t{0xffff});
  }
}

/// It was right (transport_of()).
void renew_icmp_checksum(uint8_t* icmp, uint32_t bytes) noexcept {
  store_as(icmp + kIcmpChecksum, uint16_t{0});
  store_as(icmp + kIcmpChecksum, static_cast<uint16_t>(~rte_raw_cksum(icmp, bytes)));
}

}  // namespace

void rewrite_address4(uint8_t* ip, Side side, uint32_t address) noexcept {
  const uint16_t sum = adjust_for_address(load_as<uint16_t>(ip + 10), address4(ip, side), address);
  store_as(ip + 10, sum);
  store_as(ip + (side == Side::kSource ? 12 : 16), address);
}

Transport4 transport_of(const uint8_t* ip, uint32_t bytes) noexcept {
  const uint32_t header = ipv4_header_bytes(ip);
  const uint8_t* l4 = ip + header;
  switch (ip[9]) {
    case IPPROTO_TCP:
      return bytes >= header + kTcpHeader ? Transport4::kTcp : Transport4::kDamaged;
    case IPPROTO_UDP:
      return bytes >= header + kUdpHeader ? Transport4::kUdp : Transport4::kDamaged;
    case IPPROTO_ICMP:
      return icmp_of(l4, bytes - header);
    default:
      return Transport4::kOther;
  }
}

void rewrite4(uint8_t* ip, uint32_t bytes, Side side, uint32_t address, uint16_t port) noexcept {
  const uint32_t header = ipv4_header_bytes(ip);
  uint8_t* l4 = ip + header;
  const Change change{address4(ip, side), address, port4(ip, side), port};
  rewrite_address4(ip, side, address);
  adjust_payload(ip[9], l4, bytes - header, change);
  const uint32_t at = ip[9] == IPPROTO_ICMP ? 4 : side == Side::kSource ? 0 : 2;
  store_as(l4 + at, port);
}

void rewrite_error4(uint8_t* ip, uint32_t bytes, Side side, uint32_t address,
                    uint16_t port) noexcept {
  const uint32_t header = ipv4_header_bytes(ip);
  uint8_t* icmp = ip + header;
  rewrite_address4(ip, side, address);
  rewrite4(quoted4(ip), bytes - header - kIcmpHeader, opposite(side), address, port);
  renew_icmp_checksum(icmp, bytes - header);
}

uint16_t service_port4(const uint8_t* ip, Transport4 transport, Side side) noexcept {
  if (transport == Transport4::kTcp || transport == Transport4::kUdp) return port4(ip, side);
  if (transport != Transport4::kError) return 0;
  const uint8_t* quoted = ip + ipv4_header_bytes(ip) + kIcmpHeader;
  return quoted[9] == IPPROTO_ICMP ? uint16_t{0} : port4(quoted, opposite(side));
}

void rewrite_any4(uint8_t* ip, uint32_t bytes, Transport4 transport, Side side, uint32_t address,
                  uint16_t port) noexcept {
  if (transport == Transport4::kTcp || transport == Transport4::kUdp) {
    return rewrite4(ip, bytes, side, address, port);
  }
  if (transport != Transport4::kError) return rewrite_address4(ip, side, address);
  if (quoted4(ip)[9] != IPPROTO_ICMP) return rewrite_error4(ip, bytes, side, address, port);
  const uint32_t header = ipv4_header_bytes(ip);
  rewrite_address4(ip, side, address);
  rewrite_address4(quoted4(ip), opposite(side), address);
  renew_icmp_checksum(ip + header, bytes - header);
}

}  // namespace wirelay::dataplane
