// Ports and series in slices, all else at once.
#include "ctrl/http/facts.h"

#include <algorithm>

namespace wirelay::ctrl::http {

namespace {

bool answers(const std::vector<NeighbourStatus>& neighbours, const std::string& port,
             const dataplane::IpAddr& addr) {
  return std::ranges::any_of(neighbours, [&](const NeighbourStatus& one) {
    return one.port == port && one.addr == addr &&
           (one.state == "resolved" || one.state == "probing");
  });
}

std::vector<Gateway> find_gateways(const RelayFace& relay) {
  std::vector<Gateway> gateways;
  const std::vector<NeighbourStatus> neighbours = relay.neighbours();
  const auto add = [&](const std::string& port, const dataplane::IpAddr& addr) {
    const bool known = std::ranges::any_of(gateways, [&](const Gateway& gateway) {
      return gateway.port == port && gateway.addr == addr;
    });
    if (!known) gateways.push_back({port, addr, answers(neighbours, port, addr)});
  };
  for (const PortConfig& port : relay.config().ports) {
    for (const dataplane::IpAddr& gateway : port.gateways) add(port.name, gateway);
  }
  for (const RouteConfig& route : relay.config().routes) add(route.port, route.via);
  return gateways;
}

}  // namespace

bool FactFinder::run(const RelayFace& relay, const Slice& slice) {
  if (!ports_there_) ports_there_ = ports_.run(relay, slice);
  if (!ports_there_ || !series_.run(relay, slice)) return false;
  facts_.public_key = relay.public_key();
  facts_.engine = relay.engine().name;
  facts_.huge_pages = relay.uses_huge_pages();
  facts_.uptime_ns = relay.uptime_ns();
  facts_.tsc_hz = relay.tsc_hz();
  facts_.ports = ports_.ports();
  facts_.gateways = find_gateways(relay);
  facts_.workers = relay.workers();
  if (relay.load().known()) facts_.loads = relay.load().workers();
  facts_.rings = relay.ring_depths();
  facts_.users = relay.registry().user_count();
  facts_.peers = relay.registry().peer_count();
  facts_.peer_counts = relay.peer_counts();
  facts_.sessions = relay.sessions_in_use();
  facts_.sizes = relay.config().sizes;
  facts_.pools = relay.registry().address_book().use();
  facts_.handshakes = relay.protocol_counters();
  facts_.neighbours = relay.neighbour_counters();
  facts_.turns = relay.turns();
  facts_.store = relay.store();
  facts_.nat = relay.nat();
  facts_.draining = relay.draining().has_value();
  facts_.series.swap(series_.users());
  facts_.series_cut = series_.cut();
  return true;
}

}  // namespace wirelay::ctrl::http
