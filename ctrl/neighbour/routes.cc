// Routes of our own, and next hops.
#include "ctrl/neighbour/routes.h"

#include <algorithm>
#include <stdexcept>

namespace wirelay::ctrl {

using dataplane::IpAddr;
using dataplane::Port;
using dataplane::PortAddress;
using dataplane::Prefix;
using dataplane::RouteKind;
using dataplane::RouteTarget;

namespace {

Prefix host(const IpAddr& addr) { return {addr, 128}; }

/// Means nothing without its port. (169.254/16 is used like any other network.)
bool link_local6(const IpAddr& addr) { return !addr.is_v4() && addr.is_link_local(); }

Prefix everything(bool v4) {
  if (!v4) return {};
  static constexpr uint8_t kZero[4] = {};
  return {IpAddr::v4(kZero), 96};
}

/// A port that WireGuard is spoken by.
bool serves(const Port& port) { return port.mtu != 0 && port.takes_tunnels; }

/// First and last address of an IPv4 network that has hosts between them.
bool is_network_or_broadcast(const Prefix& network, const IpAddr& addr) noexcept {
  if (!network.is_v4() || network.length >= 127) return false;
  const uint32_t host_bits = UINT32_MAX >> (network.length - 96);
  const uint32_t bits = ntohl(addr.v4_be()) & host_bits;
  return bits == 0 || bits == host_bits;
}

}  // namespace

Routes::Routes(dataplane::Shared& shared, dataplane::PrefixWriter& prefixes, NeighbourTable& table,
               const Config& config)
    : shared_(shared), prefixes_(prefixes), table_(table), gateways_(shared.ports.size()) {
  for (const PortConfig& port : config.ports) enter_port(shared_.ports[number_of(port.name)], port);
  for (const RouteConfig& route : config.routes) {
    enter(route.prefix,
          RouteTarget::make(RouteKind::kVia, permanent(number_of(route.port), route.via)));
  }
  // An address of a port that is in a pool, too, stays the relay's first of all.
  const auto pools = config.nat44 ? config.nat44->public_prefixes() : std::vector<Prefix>{};
  for (const Prefix& pool : pools) {
    if (!prefixes_.get(pool)) enter(pool, RouteTarget::make(RouteKind::kPublic));
  }
  for (const IpAddr& addr : config.tunnel_addresses) {
    enter(host(addr), RouteTarget::make(RouteKind::kLocal));
  }
}

void Routes::enter(const Prefix& prefix, RouteTarget target) {
  if (!prefixes_.set(prefix, target)) {
    throw std::runtime_error("the prefix table is too small for " + to_string(prefix) +
                             ": raise sizes.prefixes");
  }
}

void Routes::enter_port(Port& port, const PortConfig& config) {
  for (const PortAddress& a : port.addresses) {
    if (link_local6(a.addr)) continue;  // never forwarded to
    enter(a.network, RouteTarget::make(RouteKind::kConnected, port.id));
    enter(host(a.addr), RouteTarget::make(RouteKind::kLocal));
  }
  Gateways& gateways = gateways_[port.id];
  gateways.egress = config.egress;
  for (const IpAddr& addr : config.gateways) {
    (addr.is_v4() ? gateways.v4 : gateways.v6) = addr;
    const uint16_t number = permanent(port.id, addr);
    (addr.is_v4() ? port.gateway4 : port.gateway6) = number;
    const Prefix all = everything(addr.is_v4());
    if (config.egress && !prefixes_.get(all)) {
      enter(all, RouteTarget::make(RouteKind::kVia, number));
    }
  }
}

uint16_t Routes::permanent(uint16_t port, const IpAddr& addr) {
  auto number = table_.find(port, addr);
  if (!number) number = table_.add(port, addr);
  if (!number)
    throw std::runtime_error(
        "the neighbour table is too small for the gateways: raise sizes.neighbours");
  table_[*number].gateway = true;
  return *number;
}

uint16_t Routes::number_of(const std::string& port) const {
  const auto found =
      std::ranges::find_if(shared_.ports, [&](const Port& p) { return p.name == port; });
  if (found == shared_.ports.end()) throw std::runtime_error("no port is named " + port);
  return found->id;
}

void Routes::add_host(uint16_t number) {
  Neighbour& n = table_[number];
  if (!in_network(n.port, n.addr) || link_local6(n.addr)) return;
  const RouteTarget target = RouteTarget::make(RouteKind::kVia, number);
  const auto present = prefixes_.get(host(n.addr));
  // Another target is a peer's allowed IP, or one of our addresses.
  n.routed = present ? *present == target : prefixes_.set(host(n.addr), target);
}

void Routes::remove_host(uint16_t number) {
  Neighbour& n = table_[number];
  if (!n.routed) return;
  n.routed = false;
  // A peer may have taken the address since.
  if (prefixes_.get(host(n.addr)) == RouteTarget::make(RouteKind::kVia, number)) {
    prefixes_.remove(host(n.addr));
  }
}

bool Routes::in_network(uint16_t port, const IpAddr& addr) const {
  return std::ranges::any_of(shared_.ports[port].addresses,
                             [&](const PortAddress& a) { return a.network.contains(addr); });
}

bool Routes::on_link(uint16_t port, const IpAddr& addr) const {
  if (port >= shared_.ports.size() || addr.is_multicast() || addr.is_unspecified() ||
      shared_.ports[port].answers_for(addr)) {
    return false;
  }
  if (gateways_[port].of(addr.is_v4()) == addr) return true;  // wherever its network is
  return std::ranges::any_of(shared_.ports[port].addresses, [&](const PortAddress& a) {
    return a.network.contains(addr) && !is_network_or_broadcast(a.network, addr);
  });
}

std::optional<Routes::NextHop> Routes::by_port(uint16_t port, const IpAddr& remote) const {
  if (on_link(port, remote)) return NextHop{port, remote};
  if (link_local6(remote)) return std::nullopt;
  const auto& gateway = gateways_[port].of(remote.is_v4());
  if (!gateway) return std::nullopt;
  return NextHop{port, *gateway};
}

std::optional<Routes::NextHop> Routes::next_hop(const IpAddr& remote, const uint16_t* port) const {
  if (port != nullptr && *port < gateways_.size()) {
    if (const auto hop = by_port(*port, remote)) return hop;
  }
  if (link_local6(remote)) return std::nullopt;
  for (const Port& p : shared_.ports) {
    if (serves(p) && on_link(p.id, remote)) return NextHop{p.id, remote};
  }
  for (const bool egress : {false, true}) {
    for (const Port& p : shared_.ports) {
      const auto& gateway = gateways_[p.id].of(remote.is_v4());
      if (serves(p) && gateway && gateways_[p.id].egress == egress) return NextHop{p.id, *gateway};
    }
  }
  return std::nullopt;
}

std::optional<IpAddr> Routes::local_address(uint16_t port, const IpAddr& remote,
                                            const IpAddr* wanted) const {
  const Port& p = shared_.ports[port];
  // It was heard there, perhaps by another of our ports.
  const bool ours = wanted != nullptr &&
                    (p.owns(*wanted) || (!link_local6(*wanted) && shared_.find_address(*wanted)));
  if (ours) return *wanted;
  std::optional<IpAddr> any;
  for (const PortAddress& a : p.addresses) {
    if (a.addr.is_v4() != remote.is_v4() || link_local6(a.addr) != link_local6(remote)) continue;
    if (!a.listens) continue;
    if (a.network.contains(remote)) return a.addr;
    if (!any) any = a.addr;
  }
  return any;
}

}  // namespace wirelay::ctrl
