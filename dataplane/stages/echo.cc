// echo: answers ICMP and ICMPv6 echo requests (RFC 792, RFC 4443 section 4.2) in place.
//
// A request from a tunnel is answered through the tunnel. A request from a network goes back to the
// MAC address it came from, on the same port: that is the sender or its router, it is known without
// a lookup, and the answer's path needs no route of ours.
#include <algorithm>

#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

constexpr uint8_t kTtl = 64;
constexpr uint8_t kIcmpEcho = 8, kIcmpEchoReply = 0;
constexpr uint8_t kIcmp6Echo = 128, kIcmp6EchoReply = 129;

/// Writes one byte of a 16-bit word that a checksum covers. `word`: the even byte of the word.
void set_byte(uint8_t* word, unsigned byte, uint8_t value, uint8_t* checksum) noexcept {
  const auto before = load_as<uint16_t>(word);
  word[byte] = value;
  const uint16_t sum =
      adjust_checksum(load_as<uint16_t>(checksum), before, load_as<uint16_t>(word));
  std::memcpy(checksum, &sum, sizeof sum);
}

/// Turns a request into its answer; Drop::kNone when it was one.
Drop answer4(uint8_t* ip, uint16_t bytes) noexcept {
  constexpr uint32_t kHeader = sizeof(rte_ipv4_hdr);  // options are not answered
  uint8_t* icmp = ip + kHeader;
  const bool fragment = (load_be16(ip + 6) & ~RTE_IPV4_HDR_DF_FLAG) != 0;
  if (ipv4_header_bytes(ip) != kHeader || fragment || ip[9] != IPPROTO_ICMP ||
      bytes < kHeader + sizeof(rte_icmp_hdr) || icmp[0] != kIcmpEcho || icmp[1] != 0) {
    return Drop::kUnknownLocal;
  }
  if (rte_raw_cksum(icmp, bytes - kHeader) != 0xffff) return Drop::kBadChecksum;
  std::swap_ranges(ip + 12, ip + 16, ip + 16);
  set_byte(ip + 8, 0, kTtl, ip + 10);
  set_byte(icmp, 0, kIcmpEchoReply, icmp + 2);
  return Drop::kNone;
}

Drop answer6(uint8_t* ip, uint16_t bytes) noexcept {
  constexpr uint32_t kHeader = sizeof(rte_ipv6_hdr);
  uint8_t* icmp = ip + kHeader;
  if (ip[6] != IPPROTO_ICMPV6 || bytes < kHeader + sizeof(rte_icmp_hdr) || icmp[0] != kIcmp6Echo ||
      icmp[1] != 0) {
    return Drop::kUnknownLocal;
  }
  if (rte_ipv6_udptcp_cksum(reinterpret_cast<rte_ipv6_hdr*>(ip), icmp) != 0) {
    return Drop::kBadChecksum;
  }
  std::swap_ranges(ip + 8, ip + 24, ip + 24);
  ip[7] = kTtl;
  set_byte(icmp, 0, kIcmp6EchoReply, icmp + 2);
  return Drop::kNone;
}

/// The Ethernet header that classify stripped still stands in front of the packet.
void send_back(Worker& worker, rte_mbuf* mbuf) noexcept {
  auto* eth = reinterpret_cast<rte_ether_hdr*>(rte_pktmbuf_prepend(mbuf, RTE_ETHER_HDR_LEN));
  eth->dst_addr = eth->src_addr;
  eth->src_addr = worker.shared.ports[mbuf->port].mac;
  worker.send(mbuf->port, mbuf);
}

}  // namespace

void echo(Worker& worker, Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    rte_mbuf* mbuf = burst.mbufs[i];
    auto* ip = rte_pktmbuf_mtod(mbuf, uint8_t*);
    const Drop bad = ip_version(ip) == 4 ? answer4(ip, m.ip_bytes) : answer6(ip, m.ip_bytes);
    if (bad != Drop::kNone) {
      burst.drop(i, bad);
    } else if (m.session != nullptr) {
      burst.divert(i, Next::kOutbound);  // meta.peer is still the sender
    } else {
      send_back(worker, mbuf);
      burst.divert(i, Next::kSent);
    }
  }
}

}  // namespace wirelay::dataplane::stages
