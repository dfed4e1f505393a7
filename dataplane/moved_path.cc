// Next hops of paths that workers find, see moved_path.h.
#include "dataplane/moved_path.h"

#include <algorithm>
#include <optional>

namespace wirelay::dataplane {

namespace {

bool on_link(const Port& port, const IpAddr& addr) noexcept {
  return std::ranges::any_of(port.addresses,
                             [&](const PortAddress& a) { return a.network.contains(addr); });
}

/// As Routes::next_hop() of the control thread for a packet that came by this port.
std::optional<uint16_t> next_hop(Shared& shared, const Port& port, const IpAddr& remote) noexcept {
  if (!on_link(port, remote)) {
    const uint16_t gateway = remote.is_v4() ? port.gateway4 : port.gateway6;
    return gateway == kNoAdjacency ? std::nullopt : std::optional(gateway);
  }
  // The host's own entry, unless the address is some peer's inside the tunnel.
  const RouteTarget target = shared.prefixes.lookup(remote);
  const auto number = static_cast<uint16_t>(target.id());
  const bool known = target.kind() == RouteKind::kVia && shared.adjacencies[number].port == port.id;
  return known ? number : kNoAdjacency;
}

}  // namespace

bool make_way_back(Shared& shared, const Sighting& seen, PeerPath& path) noexcept {
  const Port& port = shared.ports[seen.port];
  const auto hop = next_hop(shared, port, seen.remote.addr);
  if (hop) path = make_path(seen.local, seen.remote, port.id, *hop, port.mtu);
  return hop.has_value();
}

}  // namespace wirelay::dataplane
