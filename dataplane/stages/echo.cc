// echo: answers ICMP and ICMPv6 echo requests (RFC 792, RFC 4443 section 4.2) in place, as many as
// who asks may have. Other packets for a tunnel address of the relay are refused.
//
// A request from a tunnel is answered through the tunnel. A request from a network goes back to the
// MAC address it came from, on the same port (answer.h).
#include <algorithm>
#include <cstring>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "dataplane/encap.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/answer.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

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

bool is_request(const uint8_t* ip, uint16_t bytes) noexcept {
  if (ip_version(ip) == 4) {
    constexpr uint32_t kHeader = sizeof(rte_ipv4_hdr);  // options are not answered
    return ipv4_header_bytes(ip) == kHeader && ip[9] == IPPROTO_ICMP &&
           bytes >= kHeader + sizeof(rte_icmp_hdr) && ip[kHeader] == kIcmpEcho &&
           ip[kHeader + 1] == 0;
  }
  constexpr uint32_t kHeader = sizeof(rte_ipv6_hdr);
  return ip[6] == IPPROTO_ICMPV6 && bytes >= kHeader + sizeof(rte_icmp_hdr) &&
         ip[kHeader] == kIcmp6Echo && ip[kHeader + 1] == 0;
}

/// Turn a request into its answer; false when it is damaged.
bool answer4(uint8_t* ip, uint16_t bytes) noexcept {
  uint8_t* icmp = ip + sizeof(rte_ipv4_hdr);
  if (rte_raw_cksum(icmp, bytes - sizeof(rte_ipv4_hdr)) != 0xffff) return false;
  std::swap_ranges(ip + 12, ip + 16, ip + 16);
  set_byte(ip + 8, 0, kTtl, ip + 10);
  set_byte(icmp, 0, kIcmpEchoReply, icmp + 2);
  return true;
}

bool answer6(uint8_t* ip) noexcept {
  uint8_t* icmp = ip + sizeof(rte_ipv6_hdr);
  if (rte_ipv6_udptcp_cksum(reinterpret_cast<rte_ipv6_hdr*>(ip), icmp) != 0) return false;
  std::swap_ranges(ip + 8, ip + 24, ip + 24);
  ip[7] = kTtl;
  set_byte(icmp, 0, kIcmp6EchoReply, icmp + 2);
  return true;
}

class Echo {
 public:
  Echo(Worker& worker, Burst& burst) noexcept : worker_(worker), burst_(burst) {}

  void packet(uint16_t i) noexcept {
    PacketMeta& m = burst_.meta[i];
    auto* ip = rte_pktmbuf_mtod(burst_.mbufs[i], uint8_t*);
    if (is_fragment(ip)) {
      m.onward = Next::kLocal;
      return burst_.divert(i, Next::kReassembly);
    }
    if (!is_request(ip, m.ip_bytes)) return burst_.refuse(i, Drop::kUnknownLocal);
    if (!worker_.allowances.echoes.take(worker_.now, party_of(source_of(ip)))) {
      return burst_.drop(i, Drop::kEchoFlood);
    }
    const bool whole = ip_version(ip) == 4 ? answer4(ip, m.ip_bytes) : answer6(ip);
    if (!whole) return burst_.drop(i, Drop::kBadChecksum);
    send(i, m);
  }

 private:
  /// As long as the request: it may have to be cut as that was.
  void send(uint16_t i, PacketMeta& m) noexcept {
    const bool tunnelled = !burst_.plain(i);
    const uint16_t mtu =
        tunnelled ? tunnel_mtu_of(m) : worker_.shared.ports[burst_.mbufs[i]->port].mtu;
    if (m.ip_bytes > mtu) {
      m.mtu = mtu;
      m.onward = tunnelled ? Next::kOutbound : Next::kSent;
      return burst_.divert(i, Next::kFragment);
    }
    if (tunnelled) return burst_.divert(i, Next::kOutbound);  // meta.peer is still the sender
    if (send_back(worker_, burst_.mbufs[i], link_sender(burst_.mbufs[i]))) {
      return burst_.divert(i, Next::kSent);
    }
    burst_.drop(i, Drop::kNoHeadroom);
  }

  static uint16_t tunnel_mtu_of(const PacketMeta& m) noexcept {
    const PeerPath* path = m.peer_entry->path.load(std::memory_order_acquire);
    return path == nullptr ? UINT16_MAX : tunnel_mtu(*path);  // stage fit refuses it
  }

  Worker& worker_;
  Burst& burst_;
};

}  // namespace

void echo(Worker& worker, Burst& burst) noexcept {
  Echo echo(worker, burst);
  for (uint16_t i = 0; i < burst.count; ++i) echo.packet(i);
}

}  // namespace wirelay::dataplane::stages
