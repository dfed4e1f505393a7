// Packets as bytes, see packets.h.
#include "tests/support/packets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace wirelay::test {

namespace {

using dataplane::Endpoint;
using dataplane::IpAddr;

void put16(Bytes& out, size_t at, uint32_t value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}
uint32_t get16(const Bytes& in, size_t at) { return uint32_t{in[at]} << 8 | in[at + 1]; }

uint32_t sum16(const uint8_t* data, size_t bytes, uint32_t sum = 0) {
  for (size_t i = 0; i < bytes; ++i) sum += i % 2 == 0 ? uint32_t{data[i]} << 8 : data[i];
  return sum;
}
uint16_t fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// Sum of the pseudo header (RFC 768, RFC 8200 section 8.1).
uint32_t pseudo(const IpAddr& from, const IpAddr& to, uint8_t protocol, size_t bytes) {
  const size_t skip = from.is_v4() ? 12 : 0;
  uint32_t sum = sum16(&from.bytes[skip], 16 - skip);
  sum = sum16(&to.bytes[skip], 16 - skip, sum);
  return sum + protocol + static_cast<uint32_t>(bytes);
}

Bytes address_bytes(const IpAddr& a) {
  return {a.bytes.begin() + (a.is_v4() ? 12 : 0), a.bytes.end()};
}

bool parse_transport(Parsed& p, const Bytes& l4) {
  p.payload = l4;
  if (p.protocol == kIcmp) return fold(sum16(l4.data(), l4.size())) == 0xffff;
  const uint32_t head = pseudo(p.from, p.to, p.protocol, l4.size());
  if (p.protocol == kIcmp6) return fold(sum16(l4.data(), l4.size(), head)) == 0xffff;
  if (p.protocol == kTcp) return fold(sum16(l4.data(), l4.size(), head)) == 0xffff;
  if (p.protocol != kUdp) return true;
  if (l4.size() < 8 || get16(l4, 4) != l4.size()) return false;
  p.from_port = static_cast<uint16_t>(get16(l4, 0));
  p.to_port = static_cast<uint16_t>(get16(l4, 2));
  p.udp_checksum = get16(l4, 6) != 0;
  p.payload = {l4.begin() + 8, l4.end()};
  return !p.udp_checksum || fold(sum16(l4.data(), l4.size(), head)) == 0xffff;
}

}  // namespace

IpAddr addr(const char* text) {
  if (const auto a = dataplane::parse_ip(text)) return *a;
  std::fprintf(stderr, "not an address: %s\n", text);
  std::abort();
}

dataplane::Prefix prefix(const char* text) {
  if (const auto p = dataplane::parse_prefix(text)) return *p;
  std::fprintf(stderr, "not a prefix: %s\n", text);
  std::abort();
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes pattern(size_t bytes, uint8_t seed) {
  Bytes out(bytes);
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<uint8_t>(i * 7 + i / 256 + seed);
  return out;
}

Bytes ethernet(const Mac& to, const Mac& from, uint16_t type, const Bytes& payload) {
  Bytes out(to.begin(), to.end());
  out.insert(out.end(), from.begin(), from.end());
  return out + Bytes{static_cast<uint8_t>(type >> 8), static_cast<uint8_t>(type)} + payload;
}

Bytes ip(const IpAddr& from, const IpAddr& to, uint8_t protocol, const Bytes& payload,
         uint8_t ttl) {
  if (from.is_v4()) {
    Bytes out(12);
    out[0] = 0x45;
    put16(out, 2, static_cast<uint32_t>(20 + payload.size()));
    put16(out, 4, 0x1234);
    out[8] = ttl;
    out[9] = protocol;
    out = out + address_bytes(from) + address_bytes(to);
    fix_ipv4_checksum(out);
    return out + payload;
  }
  Bytes out(8);
  out[0] = 0x60;
  put16(out, 4, static_cast<uint32_t>(payload.size()));
  out[6] = protocol;
  out[7] = ttl;
  return out + address_bytes(from) + address_bytes(to) + payload;
}

Bytes udp(const Endpoint& from, const Endpoint& to, const Bytes& payload, uint8_t ttl) {
  Bytes l4(8);
  put16(l4, 0, from.port);
  put16(l4, 2, to.port);
  put16(l4, 4, static_cast<uint32_t>(8 + payload.size()));
  l4 = l4 + payload;
  const uint16_t sum =
      fold(sum16(l4.data(), l4.size(), pseudo(from.addr, to.addr, kUdp, l4.size())));
  put16(l4, 6, sum == 0xffff ? 0xffff : static_cast<uint16_t>(~sum));
  return ip(from.addr, to.addr, kUdp, l4, ttl);
}

Bytes tcp(const Endpoint& from, const Endpoint& to, uint32_t sequence, uint32_t acknowledged,
          uint8_t flags, const Bytes& options, const Bytes& payload) {
  Bytes l4(20);
  put16(l4, 0, from.port);
  put16(l4, 2, to.port);
  put16(l4, 4, sequence >> 16);
  put16(l4, 6, sequence);
  put16(l4, 8, acknowledged >> 16);
  put16(l4, 10, acknowledged);
  l4[12] = static_cast<uint8_t>((20 + options.size()) / 4 << 4);
  l4[13] = flags;
  l4 = l4 + options + payload;
  const uint32_t head = pseudo(from.addr, to.addr, kTcp, l4.size());
  put16(l4, 16, static_cast<uint16_t>(~fold(sum16(l4.data(), l4.size(), head))));
  return ip(from.addr, to.addr, kTcp, l4);
}

std::array<Bytes, 2> cut(const Bytes& packet, size_t bytes, uint16_t id) {
  if (packet[0] >> 4 == 4) {
    const auto part4 = [&](size_t first, size_t end, uint32_t word) {
      Bytes part;
      for (size_t i = 0; i < packet.size(); ++i) {
        if (i < 20 || (i >= 20 + first && i < 20 + end)) part.push_back(packet[i]);
      }
      put16(part, 2, static_cast<uint32_t>(part.size()));
      put16(part, 4, id);
      put16(part, 6, word);
      fix_ipv4_checksum(part);
      return part;
    };
    return {part4(0, bytes, 0x2000), part4(bytes, packet.size(), static_cast<uint32_t>(bytes / 8))};
  }
  const IpAddr from = IpAddr::v6(&packet[8]), to = IpAddr::v6(&packet[24]);
  const auto part = [&](size_t first, size_t end, bool more) {
    Bytes l4(8);
    l4[0] = packet[6];
    put16(l4, 2, static_cast<uint32_t>(first | (more ? 1 : 0)));
    put16(l4, 6, id);
    for (size_t k = first; k < end; ++k) l4.push_back(packet[40 + k]);
    return ip(from, to, 44, l4, packet[7]);
  };
  return {part(0, bytes, true), part(bytes, packet.size() - 40, false)};
}

Bytes with_icmp_checksum(const IpAddr& from, const IpAddr& to, Bytes message) {
  put16(message, 2, 0);
  const uint32_t head = from.is_v4() ? 0 : pseudo(from, to, kIcmp6, message.size());
  put16(message, 2, static_cast<uint16_t>(~fold(sum16(message.data(), message.size(), head))));
  return message;
}

Bytes icmp(const IpAddr& from, const IpAddr& to, uint8_t type, const Bytes& data, uint8_t ttl) {
  const Bytes l4 = Bytes{type, 0, 0, 0, 0x11, 0x22, 0, 1} + data;
  return ip(from, to, from.is_v4() ? kIcmp : kIcmp6, with_icmp_checksum(from, to, l4), ttl);
}

Bytes echo_request(const IpAddr& from, const IpAddr& to, const Bytes& data, uint8_t ttl) {
  return icmp(from, to, from.is_v4() ? 8 : 128, data, ttl);
}

Bytes arp(uint16_t operation, const Mac& sender_mac, const IpAddr& sender, const IpAddr& target) {
  Bytes out = {0, 1, 8, 0, 6, 4, 0, static_cast<uint8_t>(operation)};
  out.insert(out.end(), sender_mac.begin(), sender_mac.end());
  return out + address_bytes(sender) + Bytes(6) + address_bytes(target);
}

Bytes neighbour(uint8_t type, const IpAddr& from, const IpAddr& to, const IpAddr& target,
                uint8_t hop_limit) {
  // icmp() writes eight bytes; a neighbour message keeps the first four of them and has flags next.
  Bytes l4 = Bytes{type, 0, 0, 0, 0, 0, 0, 0} + address_bytes(target);
  const uint32_t head = pseudo(from, to, kIcmp6, l4.size());
  put16(l4, 2, static_cast<uint16_t>(~fold(sum16(l4.data(), l4.size(), head))));
  return ip(from, to, kIcmp6, l4, hop_limit);
}

Bytes listener_query(const IpAddr& from, uint16_t delay_ms) {
  const IpAddr to = addr("ff02::1");
  Bytes query = Bytes{130, 0, 0, 0, 0, 0, 0, 0} + Bytes(16) + Bytes{2, 125, 0, 0};
  put16(query, 4, delay_ms);
  const uint32_t head = pseudo(from, to, kIcmp6, query.size());
  put16(query, 2, static_cast<uint16_t>(~fold(sum16(query.data(), query.size(), head))));
  const Bytes router_alert = {kIcmp6, 0, 5, 2, 0, 0, 1, 0};
  return ethernet(kAllNodes, {2, 0, 0, 0, 0, 9}, kTypeIpv6,
                  ip(from, to, 0, router_alert + query, 1));
}

void fix_ipv4_checksum(Bytes& packet, size_t at) {
  put16(packet, at + 10, 0);
  const size_t bytes = std::min<size_t>((packet[at] & 0x0fu) * 4, packet.size() - at);
  put16(packet, at + 10, static_cast<uint16_t>(~fold(sum16(&packet[at], bytes))));
}

Parsed parse_ip_packet(const Bytes& packet) {
  Parsed p;
  if (packet.size() >= 20 && packet[0] == 0x45) {
    p.from = IpAddr::v4(&packet[12]);
    p.to = IpAddr::v4(&packet[16]);
    p.ttl = packet[8];
    p.protocol = packet[9];
    p.valid = get16(packet, 2) == packet.size() && fold(sum16(packet.data(), 20)) == 0xffff;
    p.valid = parse_transport(p, {packet.begin() + 20, packet.end()}) && p.valid;
  } else if (packet.size() >= 40 && packet[0] >> 4 == 6) {
    p.from = IpAddr::v6(&packet[8]);
    p.to = IpAddr::v6(&packet[24]);
    p.ttl = packet[7];
    p.protocol = packet[6];
    p.valid = get16(packet, 4) + 40 == packet.size();
    p.valid = parse_transport(p, {packet.begin() + 40, packet.end()}) && p.valid;
  }
  return p;
}

Frame parse_frame(const Bytes& frame) {
  Frame f;
  if (frame.size() < 14) return f;
  std::copy_n(frame.begin(), 6, f.to.begin());
  std::copy_n(frame.begin() + 6, 6, f.from.begin());
  f.type = static_cast<uint16_t>(get16(frame, 12));
  f.payload = {frame.begin() + 14, frame.end()};
  return f;
}

}  // namespace wirelay::test
