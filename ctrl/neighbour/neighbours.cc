// The parts of neighbour resolution put together, and what comes in handed to them.
#include "ctrl/neighbour/neighbours.h"

#include <algorithm>
#include <cstdio>

#include "ctrl/base/log_limiter.h"
#include "ctrl/neighbour/announcer.h"
#include "ctrl/neighbour/arp.h"
#include "ctrl/neighbour/mld.h"
#include "ctrl/neighbour/nd.h"
#include "ctrl/neighbour/resolver.h"
#include "ctrl/neighbour/routes.h"
#include "ctrl/neighbour/table.h"
#include "ctrl/packets/datagram.h"

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::PortAddress;
using dataplane::PuntReason;
using State = Neighbour::State;

namespace {

constexpr size_t kMostTold = 1000;

std::string to_text(const rte_ether_addr& mac) {
  char text[RTE_ETHER_ADDR_FMT_SIZE];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", RTE_ETHER_ADDR_BYTES(&mac));
  return text;
}

const char* state_name(const Neighbour& n) {
  if (n.state == State::kResolved) return "resolved";
  if (n.state == State::kSilent) return "silent";
  return n.failed && !n.resolved() ? "failed" : "probing";
}

}  // namespace

PortAddress link_local_address(const rte_ether_addr& mac) noexcept {
  const uint8_t* m = mac.addr_bytes;
  const uint8_t bytes[16] = {
      0xfe, 0x80, 0,    0,    0,    0,    0,   0, static_cast<uint8_t>(m[0] ^ 2),
      m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  constexpr uint8_t kNetworkBits = 64;
  const IpAddr addr = IpAddr::v6(bytes);
  return {addr, {dataplane::mask_to(addr, kNetworkBits), kNetworkBits}};
}

struct Neighbours::Impl {
  Impl(dataplane::Shared& shared_tables, dataplane::PrefixWriter& prefixes, const Config& config)
      : shared(shared_tables),
        table(shared.adjacencies, shared.rcu, config.ports.size()),
        routes(shared, prefixes, table, config),
        resolver(shared, table, routes, counters),
        announcer(shared, resolver, counters) {}

  void take_message(const rte_mbuf* frame, const std::optional<NeighbourMessage>& message);
  [[nodiscard]] bool believable(const dataplane::Port& port, const NeighbourMessage& message);
  [[nodiscard]] std::optional<uint16_t> wanted(const rte_mbuf* packet, uint16_t adjacency);
  void send(rte_mbuf* packet, std::optional<uint16_t> number);
  void answer(uint16_t port, const NeighbourMessage& question);

  dataplane::Shared& shared;
  NeighbourCounters counters;
  NeighbourTable table;
  Routes routes;
  Resolver resolver;
  Announcer announcer;
};

void Neighbours::Impl::take_message(const rte_mbuf* frame,
                                    const std::optional<NeighbourMessage>& message) {
  const uint16_t port = frame->port;
  if (!message || port >= shared.ports.size()) {
    ++counters.malformed;
    return;
  }
  if (!believable(shared.ports[port], *message)) return;
  const bool asks_us = message->question && shared.ports[port].answers_for(message->target);
  if (message->mac && routes.on_link(port, message->subject)) {
    // Who asks us will soon hear from us; others matter only when we know them already.
    const auto number = asks_us ? resolver.find_or_note(port, message->subject)
                                : table.find(port, message->subject);
    if (number) resolver.learn(*number, *message);
  } else if (const auto number = table.find(port, message->subject)) {
    resolver.learn(*number, *message);
  }
  if (asks_us) answer(port, *message);
}

/// False when it would have us send to ourselves what is another's. Who uses an address of ours is
/// told of as well, but may ask on: it is what probes for duplicates do.
bool Neighbours::Impl::believable(const dataplane::Port& port, const NeighbourMessage& message) {
  const auto has_mac = [&](const dataplane::Port& p) {
    return p.mtu != 0 && message.mac && rte_is_same_ether_addr(&*message.mac, &p.mac);
  };
  const auto owns = [&](const dataplane::Port& p) { return p.answers_for(message.subject); };
  if (owns(port) && !has_mac(port)) {
    ++counters.conflicts;
    log_limited(LogLevel::kWarning, "address conflict", "port {}: another host, {}, uses our {}",
                port.name, to_text(message.mac.value_or(message.from)), to_string(message.subject));
  }
  if (std::ranges::none_of(shared.ports, has_mac) || std::ranges::any_of(shared.ports, owns)) {
    return true;
  }
  ++counters.conflicts;
  log_limited(LogLevel::kWarning, "link-layer address conflict",
              "port {}: {} is said to be at our link-layer address {}; not believed", port.name,
              to_string(message.subject), to_text(*message.mac));
  return false;
}

void Neighbours::Impl::answer(uint16_t port, const NeighbourMessage& question) {
  const auto make = question.target.is_v4() ? make_arp_reply : make_advertisement;
  ++counters.answered;
  resolver.transmit(make(shared.pool, shared.ports[port], question.target, question));
}

/// The entry that a punted packet wants. The one that the punt names may have been forgotten while
/// it was on its way here, and its number given to another host.
std::optional<uint16_t> Neighbours::Impl::wanted(const rte_mbuf* packet, uint16_t adjacency) {
  const auto to = destination_of(packet);
  if (to && adjacency == dataplane::kNoAdjacency && routes.on_link(packet->port, *to)) {
    return resolver.find_or_add(packet->port, *to);
  }
  if (to && adjacency < table.end()) {
    const Neighbour& n = table[adjacency];
    if (n.port == packet->port && (n.gateway || n.addr == *to)) return adjacency;
  }
  ++counters.no_route;
  return std::nullopt;
}

/// Nobody to send to: that has been counted.
void Neighbours::Impl::send(rte_mbuf* packet, std::optional<uint16_t> number) {
  if (number && table[*number].state != State::kFree) return resolver.send(packet, *number);
  if (number) ++counters.no_route;
  rte_pktmbuf_free(packet);
}

Neighbours::Neighbours(dataplane::Shared& shared, dataplane::PrefixWriter& prefixes,
                       const Config& config)
    : impl_(std::make_unique<Impl>(shared, prefixes, config)) {}

Neighbours::~Neighbours() = default;

void Neighbours::watch_gateways(OnGateway hear) {
  impl_->resolver.watch_gateways(
      [this, hear = std::move(hear)](const Neighbour& gateway, bool answers) {
        hear(impl_->shared.ports[gateway.port].name, gateway.addr, answers);
      });
}

void Neighbours::handle(const dataplane::Punt& punt, const Now& now) {
  impl_->resolver.set_time(now.ns);
  switch (punt.reason) {
    case PuntReason::kArp:
      impl_->take_message(punt.mbuf, parse_arp(punt.mbuf));
      break;
    case PuntReason::kNeighbour:
      if (const auto delay_ms = parse_listener_query(punt.mbuf)) {
        impl_->announcer.asked(punt.mbuf->port, *delay_ms, now.ns);
      } else {
        impl_->take_message(punt.mbuf, parse_nd(punt.mbuf));
      }
      break;
    case PuntReason::kUnresolved:
      impl_->send(punt.mbuf, impl_->wanted(punt.mbuf, punt.adjacency));
      return;
    default:
      break;
  }
  rte_pktmbuf_free(punt.mbuf);
}

void Neighbours::tick(const Now& now) {
  impl_->resolver.set_time(now.ns);
  impl_->resolver.tick();
  impl_->announcer.tick(now.ns);
}

void Neighbours::announce(uint16_t port, const Now& now) {
  impl_->announcer.announce(port, now.ns);
}

void Neighbours::send(rte_mbuf* packet, uint16_t, uint16_t adjacency) {
  impl_->send(packet, adjacency);
}

std::optional<PacketSender::Hop> Neighbours::route(const IpAddr& remote, const IpAddr* local,
                                                   const uint16_t* port) {
  const bool given = local != nullptr && !local->is_unspecified();
  const auto next = impl_->routes.next_hop(remote, port);
  if (!next) return std::nullopt;
  const auto ours = impl_->routes.local_address(next->port, remote, given ? local : nullptr);
  const auto number = ours ? impl_->resolver.find_or_add(next->port, next->addr) : std::nullopt;
  if (!number) return std::nullopt;
  return Hop{next->port, *number, impl_->shared.ports[next->port].mtu, *ours};
}

void Neighbours::hold(uint16_t adjacency) { ++impl_->table[adjacency].holds; }

void Neighbours::release(uint16_t adjacency) {
  Neighbour& n = impl_->table[adjacency];
  if (n.holds != 0) --n.holds;
}

std::vector<NeighbourStatus> Neighbours::status() const {
  std::vector<NeighbourStatus> out;
  const NeighbourTable& table = impl_->table;
  for (uint16_t i = 0; i < table.end() && out.size() < kMostTold; ++i) {
    const Neighbour& n = table[i];
    if (n.state == State::kFree) continue;
    out.push_back({impl_->shared.ports[n.port].name, n.addr,
                   n.resolved() ? to_text(n.mac) : std::string(), state_name(n)});
  }
  return out;
}

const NeighbourCounters& Neighbours::counters() const noexcept { return impl_->counters; }

}  // namespace wirelay::ctrl
