// Writing and reading headers.
#include "tools/relaygen/frame.h"

#include <cstring>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

namespace wirelay::relaygen {

namespace {

constexpr uint16_t kFirstFlowPort = 0x8000;  // flows differ in their source ports, for RSS
constexpr uint8_t kHops = 64;
constexpr uint16_t kUdpProtocol = 17;

void write_ipv4(uint8_t* at, const dataplane::IpAddr& from, const dataplane::IpAddr& to,
                uint32_t bytes) noexcept {
  rte_ipv4_hdr ip{};
  ip.version_ihl = RTE_IPV4_VHL_DEF;
  ip.total_length = rte_cpu_to_be_16(static_cast<uint16_t>(bytes));
  ip.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
  ip.time_to_live = kHops;
  ip.next_proto_id = kUdpProtocol;
  ip.src_addr = from.v4_be();
  ip.dst_addr = to.v4_be();
  ip.hdr_checksum = rte_ipv4_cksum(&ip);
  std::memcpy(at, &ip, sizeof ip);
}

void write_ipv6(uint8_t* at, const dataplane::IpAddr& from, const dataplane::IpAddr& to,
                uint32_t bytes) noexcept {
  rte_ipv6_hdr ip{};
  ip.vtc_flow = RTE_BE32(0x60000000);
  ip.payload_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes - kIpv6Bytes));
  ip.proto = kUdpProtocol;
  ip.hop_limits = kHops;
  std::memcpy(ip.src_addr, from.bytes.data(), sizeof ip.src_addr);
  std::memcpy(ip.dst_addr, to.bytes.data(), sizeof ip.dst_addr);
  std::memcpy(at, &ip, sizeof ip);
}

uint16_t load_be16(const uint8_t* at) noexcept { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

}  // namespace

void write_ethernet(uint8_t* frame, const rte_ether_addr& from, const rte_ether_addr& to,
                    bool v4) noexcept {
  rte_ether_hdr ethernet;
  ethernet.dst_addr = to;
  ethernet.src_addr = from;
  ethernet.ether_type = v4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6);
  std::memcpy(frame, &ethernet, sizeof ethernet);
}

void write_ip_udp(uint8_t* at, const dataplane::Endpoint& from, const dataplane::Endpoint& to,
                  uint32_t payload) noexcept {
  const bool v4 = from.addr.is_v4();
  const uint32_t bytes = ip_bytes(v4) + kUdpBytes + payload;
  if (v4)
    write_ipv4(at, from.addr, to.addr, bytes);
  else
    write_ipv6(at, from.addr, to.addr, bytes);
  rte_udp_hdr udp{};
  udp.src_port = rte_cpu_to_be_16(from.port);
  udp.dst_port = rte_cpu_to_be_16(to.port);
  udp.dgram_len = rte_cpu_to_be_16(static_cast<uint16_t>(kUdpBytes + payload));
  uint8_t* const udp_at = at + ip_bytes(v4);
  std::memcpy(udp_at, &udp, sizeof udp);
  if (v4) return;
  rte_ipv6_hdr ip;
  std::memcpy(&ip, at, sizeof ip);
  udp.dgram_cksum = rte_ipv6_udptcp_cksum(&ip, udp_at);
  std::memcpy(udp_at, &udp, sizeof udp);
}

void write_inner(uint8_t* at, const FlowEnds& ends, const Probe& probe, uint32_t bytes) noexcept {
  const uint32_t headers = ip_bytes(ends.source.is_v4()) + kUdpBytes;
  const uint32_t payload = bytes - headers;
  write_probe(at + headers, probe);
  std::memcpy(at + headers + kProbeBytes, pattern_of(probe.sequence), payload - kProbeBytes);
  const auto port = static_cast<uint16_t>(kFirstFlowPort | (probe.flow & (kFirstFlowPort - 1)));
  write_ip_udp(at, {ends.source, port}, {ends.destination, kDiscardPort}, payload);
}

std::optional<UdpPacket> read_udp(std::span<const uint8_t> bytes) noexcept {
  if (bytes.size() < kIpv4Bytes + kUdpBytes) return std::nullopt;
  const uint8_t* const at = bytes.data();
  const bool v4 = at[0] == RTE_IPV4_VHL_DEF;
  if (!v4 && (at[0] >> 4 != 6 || bytes.size() < kIpv6Bytes + kUdpBytes)) return std::nullopt;
  const uint32_t length = v4 ? load_be16(at + 2) : kIpv6Bytes + load_be16(at + 4);
  const bool fragment = v4 && (load_be16(at + 6) & ~RTE_IPV4_HDR_DF_FLAG) != 0;
  if (at[v4 ? 9 : 6] != kUdpProtocol || fragment || length > bytes.size()) return std::nullopt;
  const uint8_t* const udp = at + ip_bytes(v4);
  const uint32_t udp_length = load_be16(udp + 4);
  if (udp_length < kUdpBytes || ip_bytes(v4) + udp_length != length) return std::nullopt;
  using dataplane::IpAddr;
  return UdpPacket{.ip = at,
                   .from = {v4 ? IpAddr::v4(at + 12) : IpAddr::v6(at + 8), load_be16(udp)},
                   .to = {v4 ? IpAddr::v4(at + 16) : IpAddr::v6(at + 24), load_be16(udp + 2)},
                   .payload = udp + kUdpBytes,
                   .payload_bytes = udp_length - kUdpBytes,
                   .ip_bytes = length};
}

bool checksums_right(const UdpPacket& packet) noexcept {
  // Over what has the right checksum in it the sum is 0; UDP writes that as 0xffff.
  constexpr uint16_t kRight = 0xffff;
  const uint8_t* const ip = packet.ip;
  if (ip[0] >> 4 == 6) {
    const auto* const header = reinterpret_cast<const rte_ipv6_hdr*>(ip);
    return rte_ipv6_udptcp_cksum(header, ip + kIpv6Bytes) == kRight;
  }
  const auto* const header = reinterpret_cast<const rte_ipv4_hdr*>(ip);
  if (rte_ipv4_cksum(header) != 0) return false;
  const uint8_t* const udp = ip + kIpv4Bytes;
  const bool none = udp[6] == 0 && udp[7] == 0;
  return none || rte_ipv4_udptcp_cksum(header, udp) == kRight;
}

}  // namespace wirelay::relaygen
