// Packets as bytes: builders for what tests send, and a reader that checks what comes out.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/ip.h"

namespace wirelay::test {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr Mac kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
inline constexpr Mac kAllNodes = {0x33, 0x33, 0, 0, 0, 1};  // IPv6: ff02::1
inline constexpr uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmp6 = 58;
inline constexpr uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806, kTypeIpv6 = 0x86dd;

/// The address in `text`; the test program ends when it is none.
dataplane::IpAddr addr(const char* text);
dataplane::Prefix prefix(const char* text);

Bytes operator+(Bytes left, const Bytes& right);
/// `bytes` bytes that differ by place and by `seed`.
Bytes pattern(size_t bytes, uint8_t seed = 0);

Bytes ethernet(const Mac& to, const Mac& from, uint16_t type, const Bytes& payload);
/// An IPv4 or IPv6 packet, by the addresses' family, with all checksums of its header.
Bytes ip(const dataplane::IpAddr& from, const dataplane::IpAddr& to, uint8_t protocol,
         const Bytes& payload, uint8_t ttl = 64);
/// A whole IP packet with a UDP datagram and its checksum.
Bytes udp(const dataplane::Endpoint& from, const dataplane::Endpoint& to, const Bytes& payload,
          uint8_t ttl = 64);
inline constexpr uint8_t kSyn = 2, kReset = 4, kAck = 16;  // TCP flags
/// A whole IP packet with a TCP segment and its checksum. `options`: whole words.
Bytes tcp(const dataplane::Endpoint& from, const dataplane::Endpoint& to, uint32_t sequence,
          uint32_t acknowledged, uint8_t flags, const Bytes& options = {},
          const Bytes& payload = {});
/// A whole IP packet with an ICMP or ICMPv6 message of 8 bytes and `data`.
Bytes icmp(const dataplane::IpAddr& from, const dataplane::IpAddr& to, uint8_t type,
           const Bytes& data, uint8_t ttl = 64);
/// `message`, an ICMP or ICMPv6 message, with its checksum written anew.
Bytes with_icmp_checksum(const dataplane::IpAddr& from, const dataplane::IpAddr& to, Bytes message);
Bytes echo_request(const dataplane::IpAddr& from, const dataplane::IpAddr& to, const Bytes& data,
                   uint8_t ttl = 64);
/// The two parts of an IP packet that is cut behind `bytes` of its payload, a multiple of 8.
std::array<Bytes, 2> cut(const Bytes& packet, size_t bytes, uint16_t id = 0x4321);
/// An ARP message without its Ethernet header.
Bytes arp(uint16_t operation, const Mac& sender_mac, const dataplane::IpAddr& sender,
          const dataplane::IpAddr& target);
/// Neighbour solicitation (135) or advertisement (136), a whole IPv6 packet.
Bytes neighbour(uint8_t type, const dataplane::IpAddr& from, const dataplane::IpAddr& to,
                const dataplane::IpAddr& target, uint8_t hop_limit = 255);
/// A general query for multicast listeners (RFC 3810, 5.1), a whole frame to all nodes: answers are
/// wanted within `delay_ms`.
Bytes listener_query(const dataplane::IpAddr& from, uint16_t delay_ms);
/// Writes the IPv4 header checksum anew, after a test has changed the header.
void fix_ipv4_checksum(Bytes& packet, size_t at = 0);

/// What an IP packet says. `valid`: lengths and every checksum are right.
struct Parsed {
  bool valid = false;
  dataplane::IpAddr from, to;
  uint8_t protocol = 0, ttl = 0;
  uint16_t from_port = 0, to_port = 0;  // UDP
  bool udp_checksum = false;            // there is one
  Bytes payload;                        // of UDP, or of IP for other protocols
};
Parsed parse_ip_packet(const Bytes& packet);

struct Frame {
  Mac to{}, from{};
  uint16_t type = 0;
  Bytes payload;
};
Frame parse_frame(const Bytes& frame);

}  // namespace wirelay::test
