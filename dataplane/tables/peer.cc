// Paths: the outer headers towards a peer's endpoint, built once and copied in front of packets.
#include "dataplane/tables/peer.h"

#include <cstring>

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>

namespace wirelay::dataplane {

namespace {

constexpr uint8_t kTimeToLive = 64;

void write_udp(uint8_t* out, uint16_t source, uint16_t destination) noexcept {
  udphdr udp{};
  udp.uh_sport = htons(source);
  udp.uh_dport = htons(destination);
  std::memcpy(out, &udp, sizeof udp);
}

void write_ip4(uint8_t* out, const IpAddr& source, const IpAddr& destination) noexcept {
  ip header{};
  header.ip_v = 4;
  header.ip_hl = sizeof header / 4;
  header.ip_ttl = kTimeToLive;
  header.ip_p = IPPROTO_UDP;
  header.ip_src.s_addr = source.v4_be();
  header.ip_dst.s_addr = destination.v4_be();
  std::memcpy(out, &header, sizeof header);
}

void write_ip6(uint8_t* out, const IpAddr& source, const IpAddr& destination) noexcept {
  ip6_hdr header{};
  header.ip6_vfc = 6 << 4;
  header.ip6_nxt = IPPROTO_UDP;
  header.ip6_hlim = kTimeToLive;
  std::memcpy(&header.ip6_src, source.bytes.data(), sizeof header.ip6_src);
  std::memcpy(&header.ip6_dst, destination.bytes.data(), sizeof header.ip6_dst);
  std::memcpy(out, &header, sizeof header);
}

/// One end of the path, by the offsets of its address and its port in the header.
Endpoint read_end(const PeerPath& path, size_t offset4, size_t offset6,
                  size_t port_in_udp) noexcept {
  const size_t udp = path.header_bytes - sizeof(udphdr);
  uint16_t port;
  std::memcpy(&port, path.header + udp + port_in_udp, sizeof port);
  return {path.v6 ? IpAddr::v6(path.header + offset6) : IpAddr::v4(path.header + offset4),
          ntohs(port)};
}

}  // namespace

PeerPath make_path(const Endpoint& local, const Endpoint& remote, uint16_t port, uint16_t adjacency,
                   uint16_t mtu) noexcept {
  PeerPath path{};
  path.v6 = !remote.addr.is_v4();
  const size_t ip_bytes = path.v6 ? sizeof(ip6_hdr) : sizeof(ip);
  path.header_bytes = static_cast<uint8_t>(ip_bytes + sizeof(udphdr));
  path.port = port;
  path.adjacency = adjacency;
  path.mtu = mtu;
  (path.v6 ? write_ip6 : write_ip4)(path.header, local.addr, remote.addr);
  write_udp(path.header + ip_bytes, local.port, remote.port);
  return path;
}

Endpoint path_remote(const PeerPath& path) noexcept {
  return read_end(path, offsetof(ip, ip_dst), offsetof(ip6_hdr, ip6_dst),
                  offsetof(udphdr, uh_dport));
}

Endpoint path_local(const PeerPath& path) noexcept {
  return read_end(path, offsetof(ip, ip_src), offsetof(ip6_hdr, ip6_src),
                  offsetof(udphdr, uh_sport));
}

}  // namespace wirelay::dataplane
