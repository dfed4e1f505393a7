// error: tells senders why a packet of theirs ended here, as a router does (RFC 1812, 4.3.2; RFC
// 4443, 2.4): the packet becomes the ICMP error about it, or the reset of a TCP connection, and
// goes back by the way it came. How many a sender gets is bounded, and so is what a worker makes at
// all; beyond that the packet is only dropped. Either way it counts under the name it was refused
// with.
#include "dataplane/net/headers.h"
#include "dataplane/net/icmp_error.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/transport4.h"
#include "dataplane/pipeline.h"
#include "dataplane/stages/answer.h"
#include "dataplane/stages/nat_origin.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// Of a packet for an address of ours: can it be said that nothing of that kind listens? Not of
/// ICMP (RFC 1122, 3.2.2; RFC 4443, 2.4), nor of IPv6 behind headers that are not looked through.
bool is_service(const uint8_t* ip) noexcept {
  if (ip_version(ip) == 4) return ip[9] != IPPROTO_ICMP;
  return ip[6] != IPPROTO_ICMPV6 && ip[6] != IPPROTO_AH && !is_extension(ip[6]);
}

/// How what its sender is told gets there.
enum class Back : uint8_t {
  kTunnel,
  kPort,    // that it came by
  kAround,  // as the packet came: from a user by way of the outside (stage nat_out)
};

Back way_back(const Worker& worker, const rte_mbuf* packet, const PacketMeta& m) noexcept {
  if (m.sender != kNobody) return Back::kTunnel;
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  const bool around = worker.shared.nat != nullptr && ip_version(ip) == 4 &&
                      worker.shared.nat->is_public(address4(ip, Side::kSource));
  return around ? Back::kAround : Back::kPort;
}

/// A plain packet as its sender sent it.
void undo_nat(rte_mbuf* packet, const PacketMeta& m) noexcept {
  const NatOrigin origin = NatOrigin::of(m);
  if (origin.address == 0) return;
  auto* ip = rte_pktmbuf_mtod(packet, uint8_t*);
  if (origin.port == 0) return rewrite_address4(ip, Side::kDestination, origin.address);
  rewrite4(ip, packet->data_len, Side::kDestination, origin.address, origin.port);
}

/// Turns the packet into what its sender is told; false when that is nothing.
bool make_answer(Worker& worker, rte_mbuf* packet, const PacketMeta& m, Back back) noexcept {
  const auto* ip = rte_pktmbuf_mtod(packet, const uint8_t*);
  const IcmpError error = drop_info(m.drop).answer;
  if (error == IcmpError::kNone || !may_have_error(ip, packet->data_len)) return false;
  if (error == IcmpError::kServiceUnreachable && !is_service(ip)) return false;
  // Strangers do not use up what peers are told: what fits, above all.
  const bool allowed = back == Back::kTunnel
                           ? worker.allowances.tunnel_errors.take(worker.now, m.sender)
                           : worker.allowances.errors.take(worker.now, party_of(source_of(ip)));
  if (!allowed) return false;
  if (back != Back::kTunnel) undo_nat(packet, m);
  if (error == IcmpError::kServiceUnreachable && is_tcp(ip)) return make_reset(packet);
  const IpAddr* from = own_address(worker, packet, back != Back::kPort);
  return from != nullptr && make_icmp_error(packet, error, m.mtu, *from);
}

/// To the peer whose packet it was.
void into_tunnel(Worker& worker, Burst& burst, uint16_t i) noexcept {
  PacketMeta& m = burst.meta[i];
  m.peer = m.sender;
  m.peer_entry = &worker.shared.peers[m.peer];
  m.ip_bytes = burst.mbufs[i]->data_len;
  burst.divert(i, Next::kOutbound);
}

void leave(Worker& worker, Burst& burst, uint16_t i, Back back) noexcept {
  switch (back) {
    case Back::kTunnel:
      return into_tunnel(worker, burst, i);
    case Back::kAround:
      return burst.begin_anew(i, burst.mbufs[i]->data_len, Next::kNatIn);
    case Back::kPort:
      return burst.divert(i, Next::kSent);
  }
}

}  // namespace

void error(Worker& worker, Burst& burst) noexcept {
  for (uint16_t i = 0; i < burst.count; ++i) {
    const PacketMeta& m = burst.meta[i];
    rte_mbuf* packet = burst.mbufs[i];
    const Back back = way_back(worker, packet, m);
    // An answer is written over it.
    const rte_ether_addr sender = back == Back::kPort ? link_sender(packet) : rte_ether_addr{};
    if (!make_answer(worker, packet, m, back) ||
        (back == Back::kPort && !send_back(worker, packet, sender))) {
      burst.drop(i, m.drop);
      continue;
    }
    worker.count(m.drop);
    worker.counters.made.add(1);
    leave(worker, burst, i, back);
  }
}

}  // namespace wirelay::dataplane::stages
