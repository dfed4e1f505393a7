// Segment sizes and resets, see tcp.h.
#include "dataplane/net/tcp.h"

#include <algorithm>
#include <cstring>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "dataplane/net/checksum.h"

namespace wirelay::dataplane {

namespace {

constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kMss = 2;

uint32_t header_bytes(const uint8_t* ip) noexcept {
  return ip_version(ip) == 4 ? ipv4_header_bytes(ip) : static_cast<uint32_t>(sizeof(rte_ipv6_hdr));
}

/// Where the segment begins and what its options occupy; empty when it is not whole.
struct Segment {
  uint8_t* tcp = nullptr;
  uint32_t options_end = 0;  // from the segment's start
};

Segment find_segment(uint8_t* ip, uint32_t bytes) noexcept {
  const uint32_t front = header_bytes(ip);
  if (is_fragment(ip) || front + sizeof(rte_tcp_hdr) > bytes) return {};
  uint8_t* tcp = ip + front;
  const uint32_t end = (tcp[12] >> 4) * 4u;
  if (end < sizeof(rte_tcp_hdr) || front + end > bytes) return {};
  return {tcp, end};
}

/// The two bytes of the MSS option (RFC 9293, 3.7.1); null when there is none.
uint8_t* find_mss(const Segment& s) noexcept {
  for (uint32_t at = sizeof(rte_tcp_hdr); at < s.options_end;) {
    const uint8_t kind = s.tcp[at];
    if (kind == kEndOfOptions) return nullptr;
    if (kind == kNoOperation) {
      ++at;
      continue;
    }
    const uint32_t length = at + 1 < s.options_end ? s.tcp[at + 1] : 0;
    if (length < 2 || at + length > s.options_end) return nullptr;
    if (kind == kMss) return length == 4 ? s.tcp + at + 2 : nullptr;
    at += length;
  }
  return nullptr;
}

/// A word at an odd offset counts in the sum with its bytes swapped.
uint16_t as_summed(uint16_t word, bool odd) noexcept { return odd ? rte_bswap16(word) : word; }

uint16_t tcp_checksum(const uint8_t* ip, const void* tcp) noexcept {
  return ip_version(ip) == 4
             ? rte_ipv4_udptcp_cksum(reinterpret_cast<const rte_ipv4_hdr*>(ip), tcp)
             : rte_ipv6_udptcp_cksum(reinterpret_cast<const rte_ipv6_hdr*>(ip), tcp);
}

/// What stands behind the header counts in the sequence, and so do SYN and FIN.
void write_reset(rte_tcp_hdr& tcp, uint32_t text) noexcept {
  const uint8_t flags = tcp.tcp_flags;
  const rte_be16_t from = tcp.src_port;
  tcp.src_port = tcp.dst_port;
  tcp.dst_port = from;
  if ((flags & RTE_TCP_ACK_FLAG) != 0) {
    tcp.sent_seq = tcp.recv_ack;
    tcp.recv_ack = 0;
    tcp.tcp_flags = RTE_TCP_RST_FLAG;
  } else {
    const uint32_t length =
        text + ((flags & RTE_TCP_SYN_FLAG) != 0) + ((flags & RTE_TCP_FIN_FLAG) != 0);
    tcp.recv_ack = rte_cpu_to_be_32(rte_be_to_cpu_32(tcp.sent_seq) + length);
    tcp.sent_seq = 0;
    tcp.tcp_flags = RTE_TCP_RST_FLAG | RTE_TCP_ACK_FLAG;
  }
  tcp.data_off = sizeof tcp / 4 << 4;
  tcp.rx_win = tcp.tcp_urp = tcp.cksum = 0;
}

/// The IP header of an answer in place; `bytes`: of the whole packet.
void turn_around(uint8_t* ip, uint32_t bytes) noexcept {
  if (ip_version(ip) == 4) {
    std::swap_ranges(ip + 12, ip + 16, ip + 16);
    store_be16(ip + 2, static_cast<uint16_t>(bytes));
    ip[8] = kTtl;
    write_ipv4_checksum(ip);
  } else {
    std::swap_ranges(ip + 8, ip + 24, ip + 24);
    store_be16(ip + 4, static_cast<uint16_t>(bytes - sizeof(rte_ipv6_hdr)));
    ip[7] = kTtl;
  }
}

}  // namespace

void clamp_mss(uint8_t* ip, uint32_t bytes, uint16_t mtu) noexcept {
  const Segment s = find_segment(ip, bytes);
  if (s.tcp == nullptr || (s.tcp[13] & RTE_TCP_SYN_FLAG) == 0) return;
  uint8_t* mss = find_mss(s);
  const uint32_t headers = static_cast<uint32_t>(
      sizeof(rte_tcp_hdr) + (ip_version(ip) == 4 ? sizeof(rte_ipv4_hdr) : sizeof(rte_ipv6_hdr)));
  if (mss == nullptr || mtu <= headers || load_be16(mss) <= mtu - headers) return;
  const auto before = load_as<uint16_t>(mss);
  store_be16(mss, static_cast<uint16_t>(mtu - headers));
  const bool odd = (mss - s.tcp) % 2 != 0;
  store_as(s.tcp + 16, adjust_checksum(load_as<uint16_t>(s.tcp + 16), as_summed(before, odd),
                                       as_summed(load_as<uint16_t>(mss), odd)));
}

bool make_reset(rte_mbuf* packet) noexcept {
  auto* ip = rte_pktmbuf_mtod(packet, uint8_t*);
  const Segment s = find_segment(ip, packet->data_len);
  const uint32_t front = header_bytes(ip);
  if (s.tcp == nullptr || (s.tcp[13] & RTE_TCP_RST_FLAG) != 0) return false;
  // The answer has no options of its own.
  if (ip_version(ip) == 4 && front != sizeof(rte_ipv4_hdr)) return false;
  if (tcp_checksum(ip, s.tcp) != 0) return false;
  const uint32_t bytes = front + static_cast<uint32_t>(sizeof(rte_tcp_hdr));
  auto& tcp = *reinterpret_cast<rte_tcp_hdr*>(s.tcp);
  write_reset(tcp, packet->data_len - front - s.options_end);
  turn_around(ip, bytes);
  tcp.cksum = tcp_checksum(ip, s.tcp);
  packet->data_len = static_cast<uint16_t>(bytes);
  packet->pkt_len = bytes;
  return true;
}

}  // namespace wirelay::dataplane
