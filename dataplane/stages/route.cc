// route: where does the destination lead? To a peer, to a next hop on a port, or to ourselves.
// Peers may send to all of these, plain traffic only to peers and to ourselves: the relay is no
// router between its ports. What leads nowhere is refused, and the sender told.
#include <rte_ip.h>
#include <rte_prefetch.h>

#include "dataplane/encap.h"
#include "dataplane/net/checksum.h"
#include "dataplane/net/fragment.h"
#include "dataplane/net/headers.h"
#include "dataplane/net/tcp.h"
#include "dataplane/net/transport4.h"
#include "dataplane/pipeline.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

/// Takes one hop off; false when it was the last.
bool take_hop(uint8_t* ip) noexcept {
  if (ip_version(ip) == 6) {
    if (ip[7] <= 1) return false;
    --ip[7];
    return true;
  }
  if (ip[8] <= 1) return false;
  // TTL and protocol are one word of the checksum, and TTL is its first byte in memory.
  const auto before = load_as<uint16_t>(ip + 8);
  const auto after = static_cast<uint16_t>(before - RTE_LE16(1));
  store_as(ip + 8, after);
  store_as(ip + 10, adjust_checksum(load_as<uint16_t>(ip + 10), before, after));
  return true;
}

class Router {
 public:
  Router(Worker& worker, Burst& burst) noexcept : worker_(worker), burst_(burst) {}

  void packet(uint16_t i, RouteTarget target) noexcept {
    auto* ip = rte_pktmbuf_mtod(burst_.mbufs[i], uint8_t*);
    const Drop bad = bad_destination(ip);
    if (bad != Drop::kNone && !(bad == Drop::kLinkLocal && target.kind() == RouteKind::kLocal))
        [[unlikely]] {
      return burst_.drop(i, bad);
    }
    switch (target.kind()) {
      case RouteKind::kPeer:
        return to_peer(i, ip, target.id());
      case RouteKind::kLocal:
        return to_us(i, ip);
      case RouteKind::kPublic:
        return to_public(i);
      case RouteKind::kVia:
      case RouteKind::kConnected:
        return to_network(i, ip, target);
      default:
        return burst_.refuse(i, plain(i) ? Drop::kNotForwarded : Drop::kNoRoute);
    }
  }

  /// Behind all packets: what came by a user's mapping is for nobody else, though the address
  /// inside may be another's by now.
  void finish() noexcept {
    for (uint16_t k = 0; k < mapped_count_; ++k) {
      const auto [i, user] = mapped_[k];
      if (burst_.meta[i].peer_entry->user != user) burst_.drop(i, Drop::kNatNoMapping);
    }
  }

 private:
  [[nodiscard]] bool plain(uint16_t i) const noexcept { return burst_.plain(i); }

  /// A peer's packet behind the limits of its user; `mtu`: of one that is too big.
  void go_on(uint16_t i, Next onward, uint16_t mtu = 0) noexcept {
    if (plain(i)) return burst_.divert(i, onward);
    burst_.meta[i].onward = onward;
    burst_.meta[i].mtu = mtu;
  }

  void to_us(uint16_t i, const uint8_t* ip) noexcept {
    if (!plain(i) && is_public(ip)) return to_public(i);
    go_on(i, Next::kLocal);
  }

  /// An address of ours that users go out with. Pings of it are answered.
  bool is_public(const uint8_t* ip) noexcept {
    const NatTable* nat = worker_.shared.nat.get();
    if (nat == nullptr || ip_version(ip) != 4 ||
        !nat->is_public(address4(ip, Side::kDestination))) {
      return false;
    }
    const bool ping = transport_of(ip, load_be16(ip + 2)) == Transport4::kEchoRequest;
    return !ping && !(is_fragment(ip) && ip[9] == IPPROTO_ICMP);
  }

  /// From one user to another by way of the outside.
  void to_public(uint16_t i) noexcept {
    if (plain(i)) return burst_.refuse(i, Drop::kNotForwarded);
    burst_.meta[i].adjacency = kNoAdjacency;
    burst_.meta[i].port = kNatHairpin;
    go_on(i, Next::kNatOut);
  }

  void to_peer(uint16_t i, uint8_t* ip, uint32_t peer) noexcept {
    if (!take_hop(ip)) return burst_.refuse(i, Drop::kTtlExpired);
    PacketMeta& m = burst_.meta[i];
    if (plain(i) && m.peer != 0) mapped_[mapped_count_++] = {i, m.peer - 1};
    m.peer = peer;
    m.peer_entry = &worker_.shared.peers[peer];
    worker_.shared.peers.prefetch(peer);
    go_on(i, Next::kOutbound);
  }

  void to_network(uint16_t i, uint8_t* ip, RouteTarget target) noexcept {
    PacketMeta& m = burst_.meta[i];
    if (plain(i)) return burst_.refuse(i, Drop::kNotForwarded);
    if (!take_hop(ip)) return burst_.refuse(i, Drop::kTtlExpired);
    const bool via = target.kind() == RouteKind::kVia;
    m.adjacency = via ? static_cast<uint16_t>(target.id()) : kNoAdjacency;
    m.port =
        via ? worker_.shared.adjacencies[m.adjacency].port : static_cast<uint16_t>(target.id());
    const Port& port = worker_.shared.ports[m.port];
    if (port.translates && ip_version(ip) == 4) {  // whole: what is too big is cut behind it
      if (m.ip_bytes > port.mtu && !may_fragment(ip)) {
        return burst_.refuse(i, Drop::kTooBig, port.mtu);
      }
      if (is_tcp(ip)) clamp_mss(ip, m.ip_bytes, answers_mtu(m, port.mtu));
      return go_on(i, Next::kNatOut);
    }
    if (m.ip_bytes > port.mtu) [[unlikely]] {
      return too_big(i, ip, port.mtu);
    }
    if (is_tcp(ip)) clamp_mss(ip, m.ip_bytes, answers_mtu(m, port.mtu));
    go_on(i, Next::kTransmit);
  }

  void too_big(uint16_t i, const uint8_t* ip, uint16_t mtu) noexcept {
    if (!may_fragment(ip)) return burst_.refuse(i, Drop::kTooBig, mtu);
    go_on(i, Next::kTransmit, mtu);
  }

  /// The answers to what a peer sends come back by its tunnel.
  [[nodiscard]] static uint16_t answers_mtu(const PacketMeta& m, uint16_t mtu) noexcept {
    const PeerPath* path = m.peer_entry->path.load(std::memory_order_acquire);
    return path == nullptr ? mtu : std::min(mtu, tunnel_mtu(*path));
  }

  struct Mapped {
    uint16_t i;
    uint32_t user;
  };

  Worker& worker_;
  Burst& burst_;
  uint16_t mapped_count_ = 0;
  Mapped mapped_[kBurstSize];
};

}  // namespace

void route(Worker& worker, Burst& burst) noexcept {
  // Neighbouring packets often have the same destination: each run of them is looked up once.
  IpAddr destinations[kBurstSize];
  RouteTarget targets[kBurstSize];
  uint16_t run_of[kBurstSize];
  uint16_t runs = 0;
  for (uint16_t i = 0; i < burst.count; ++i) {
    const IpAddr to = destination_of(rte_pktmbuf_mtod(burst.mbufs[i], const uint8_t*));
    if (runs == 0 || to != destinations[runs - 1]) destinations[runs++] = to;
    run_of[i] = static_cast<uint16_t>(runs - 1);
  }
  worker.shared.prefixes.lookup_burst({destinations, runs}, targets);
  Router router(worker, burst);
  for (uint16_t i = 0; i < burst.count; ++i) router.packet(i, targets[run_of[i]]);
  router.finish();
}

}  // namespace wirelay::dataplane::stages
