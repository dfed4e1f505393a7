// Making ICMP errors, see icmp_error.h.
#include "dataplane/net/icmp_error.h"

#include <algorithm>
#include <cstring>

#include <netinet/in.h>

#include <rte_icmp.h>
#include <rte_ip.h>

#include "dataplane/net/checksum.h"
#include "dataplane/net/headers.h"

namespace wirelay::dataplane {

namespace {

constexpr uint32_t kIcmpBytes = 8;
// Whole answers: what passes a tunnel over the narrowest path of either family.
constexpr uint32_t kLargest4 = 576 - 80, kLargest6 = 1280 - 80;
constexpr uint8_t kInternetControl = 0xc0;  // precedence of ICMP errors (RFC 1812, 4.3.2.5)
constexpr uint8_t kNextHeaderOffset = 6;    // in the IPv6 header

struct TypeAndCode {
  uint8_t type, code;
};

TypeAndCode code4(IcmpError error, const uint8_t* ip) noexcept {
  switch (error) {
    case IcmpError::kNoRoute:
      return {3, 0};
    case IcmpError::kServiceUnreachable:
      return {3, static_cast<uint8_t>(ip[9] == IPPROTO_UDP ? 3 : 2)};
    case IcmpError::kProhibited:
      return {3, 13};
    case IcmpError::kTtlExceeded:
      return {11, 0};
    case IcmpError::kTooBig:
      return {3, 4};
    default:
      return {3, 1};
  }
}

TypeAndCode code6(IcmpError error, const uint8_t* ip) noexcept {
  switch (error) {
    case IcmpError::kNoRoute:
      return {1, 0};
    case IcmpError::kServiceUnreachable:
      return ip[6] == IPPROTO_UDP ? TypeAndCode{1, 4} : TypeAndCode{4, 1};
    case IcmpError::kProhibited:
      return {1, 1};
    case IcmpError::kTtlExceeded:
      return {3, 0};
    case IcmpError::kTooBig:
      return {2, 0};
    default:
      return {1, 3};
  }
}

bool is_error4(uint8_t type) noexcept {
  return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

bool may_have_error4(const uint8_t* ip, uint32_t bytes) noexcept {
  const bool later_fragment = (load_be16(ip + 6) & RTE_IPV4_HDR_OFFSET_MASK) != 0;
  if (later_fragment || martian_source4(ip) || ip[16] >= 224) return false;
  if (ip[9] != IPPROTO_ICMP) return true;
  const uint32_t header = ipv4_header_bytes(ip);
  return bytes > header && !is_error4(ip[header]);
}

bool may_have_error6(const uint8_t* ip, uint32_t bytes) noexcept {
  if (martian_source6(ip) || ip[24] == 0xff) return false;
  uint8_t next = ip[6];
  uint32_t at = sizeof(rte_ipv6_hdr);
  while (is_extension(next)) {
    if (at + 8 > bytes) return false;  // what cannot be looked at may be an error
    const bool fragment = next == IPPROTO_FRAGMENT;
    if (fragment && (load_be16(ip + at + 2) & 0xfff8) != 0) return false;
    next = ip[at];
    at += fragment ? 8 : (ip[at + 1] + 1u) * 8;
  }
  return next != IPPROTO_ICMPV6 || (at < bytes && ip[at] >= 128);
}

/// The quoted packet follows the header of 28 bytes at `at`.
void write4(uint8_t* at, uint32_t quoted, TypeAndCode what, uint16_t mtu,
            const IpAddr& from) noexcept {
  const uint32_t to = load_as<uint32_t>(at + sizeof(rte_ipv4_hdr) + kIcmpBytes + 12);
  std::memset(at, 0, sizeof(rte_ipv4_hdr) + kIcmpBytes);
  at[0] = 0x45;
  at[1] = kInternetControl;
  store_be16(at + 2, static_cast<uint16_t>(sizeof(rte_ipv4_hdr) + kIcmpBytes + quoted));
  store_be16(at + 6, RTE_IPV4_HDR_DF_FLAG);
  at[8] = kTtl;
  at[9] = IPPROTO_ICMP;
  store_as(at + 12, from.v4_be());
  store_as(at + 16, to);
  write_ipv4_checksum(at);
  uint8_t* icmp = at + sizeof(rte_ipv4_hdr);
  icmp[0] = what.type;
  icmp[1] = what.code;
  store_be16(icmp + 6, mtu);
  store_as(icmp + 2, static_cast<uint16_t>(~rte_raw_cksum(icmp, kIcmpBytes + quoted)));
}

void write6(uint8_t* at, uint32_t quoted, TypeAndCode what, uint32_t parameter,
            const IpAddr& from) noexcept {
  uint8_t to[16];
  std::memcpy(to, at + sizeof(rte_ipv6_hdr) + kIcmpBytes + 8, sizeof to);
  std::memset(at, 0, sizeof(rte_ipv6_hdr) + kIcmpBytes);
  at[0] = 0x60;
  store_be16(at + 4, static_cast<uint16_t>(kIcmpBytes + quoted));
  at[6] = IPPROTO_ICMPV6;
  at[7] = kTtl;
  std::memcpy(at + 8, from.bytes.data(), from.bytes.size());
  std::memcpy(at + 24, to, sizeof to);
  uint8_t* icmp = at + sizeof(rte_ipv6_hdr);
  icmp[0] = what.type;
  icmp[1] = what.code;
  store_as(icmp + 4, rte_cpu_to_be_32(parameter));
  const uint16_t sum = rte_ipv6_udptcp_cksum(reinterpret_cast<const rte_ipv6_hdr*>(at), icmp);
  store_as(icmp + 2, sum);
}

}  // namespace

bool may_have_error(const uint8_t* packet, uint32_t bytes) noexcept {
  return ip_version(packet) == 4 ? may_have_error4(packet, bytes) : may_have_error6(packet, bytes);
}

bool make_icmp_error(rte_mbuf* packet, IcmpError error, uint16_t mtu, const IpAddr& from) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  const bool v4 = ip_version(ip) == 4;
  const uint32_t front = kIcmpBytes + (v4 ? sizeof(rte_ipv4_hdr) : sizeof(rte_ipv6_hdr));
  if (rte_pktmbuf_headroom(packet) < front) return false;
  const uint32_t quoted =
      std::min<uint32_t>(packet->data_len, (v4 ? kLargest4 : kLargest6) - front);
  const TypeAndCode what = v4 ? code4(error, ip) : code6(error, ip);
  packet->data_off = static_cast<uint16_t>(packet->data_off - front);
  packet->data_len = static_cast<uint16_t>(front + quoted);
  packet->pkt_len = packet->data_len;
  auto* at = rte_pktmbuf_mtod(packet, uint8_t*);
  if (v4) {
    write4(at, quoted, what, error == IcmpError::kTooBig ? mtu : uint16_t{0}, from);
  } else {
    const uint32_t pointer =
        error == IcmpError::kServiceUnreachable && what.type == 4 ? kNextHeaderOffset : 0;
    write6(at, quoted, what, error == IcmpError::kTooBig ? mtu : pointer, from);
  }
  return true;
}

}  // namespace wirelay::dataplane
