// Fields of a configuration held against each other: routes, sizes, addresses.
#include <algorithm>
#include <bit>
#include <map>

#include <fmt/core.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::IpAddr;
using dataplane::PortAddress;
using dataplane::Prefix;

/// What is wrong with one route, beside what it shares with others.
void check_route(const Config& config, const RouteConfig& route, const std::string& path,
                 std::vector<Problem>& problems) {
  const auto port = std::ranges::find(config.ports, route.port, &PortConfig::name);
  if (port == config.ports.end()) {
    problems.push_back(
        {path + ".port",
         fmt::format("found {}, expected the name of one of the ports", in_quotes(route.port))});
    return;
  }
  const bool v4 = route.prefix.is_v4();
  const auto is_via = [&](const PortAddress& address) { return address.addr == route.via; };
  const auto holds = [&](const PortAddress& address) {
    return address.network.is_v4() == route.via.is_v4() && address.network.contains(route.via);
  };
  const bool by_gateway =
      std::ranges::find(port->gateways, route.via) != port->gateways.end();  // perhaps outside
  if (route.via.is_v4() != v4) {
    problems.push_back(
        {path + ".via", fmt::format("found \"{}\", expected an {} address as for the "
                                    "prefix",
                                    to_string(route.via), v4 ? "IPv4" : "IPv6")});
  } else if (!by_gateway && std::ranges::none_of(port->addresses, holds) &&
             (v4 || !route.via.is_link_local())) {
    problems.push_back({path + ".via", fmt::format("found \"{}\", expected an address within a "
                                                   "network of port \"{}\"",
                                                   to_string(route.via), route.port)});
  } else if (std::ranges::any_of(port->addresses, is_via)) {
    problems.push_back(
        {path + ".via", fmt::format("found \"{}\", which is the relay's own address, expected "
                                    "the next hop's",
                                    to_string(route.via))});
  } else if (std::ranges::any_of(port->addresses, [&](const PortAddress& address) {
               return std::ranges::count(ends_of(address.network), route.via) != 0;
             })) {
    problems.push_back({path + ".via", fmt::format("found \"{}\", which is an end of the port's "
                                                   "network, where no host is",
                                                   to_string(route.via))});
  }
}

void check_routes(const Config& config, std::vector<Problem>& problems) {
  std::map<Prefix, std::string> known;
  for (const PortConfig& port : config.ports) {
    for (const PortAddress& address : port.addresses) {
      known.emplace(address.network, fmt::format("the network of port \"{}\"", port.name));
      known.emplace(Prefix{address.addr, 128}, "the relay's own address");
    }
    for (const IpAddr& gateway : port.gateways) {
      if (port.egress) known.emplace(gateway.is_v4() ? kDefault4 : kDefault6, "the egress port's");
    }
  }
  for (size_t i = 0; i < config.routes.size(); ++i) {
    const std::string path = fmt::format("routes[{}]", i);
    const auto [first, fresh] = known.emplace(config.routes[i].prefix, path);
    if (!fresh) {
      problems.push_back({path + ".prefix", fmt::format("found \"{}\", which is {} already",
                                                        to_string(first->first), first->second)});
    }
    check_route(config, config.routes[i], path, problems);
  }
}

void check_listen(const Config& config, std::vector<Problem>& problems) {
  for (size_t i = 0; i < config.listen_addresses.size(); ++i) {
    const IpAddr& listen = config.listen_addresses[i];
    const bool ours = std::ranges::any_of(config.ports, [&](const PortConfig& port) {
      return std::ranges::any_of(port.addresses,
                                 [&](const PortAddress& a) { return a.addr == listen; });
    });
    if (ours) continue;
    problems.push_back(
        {fmt::format("listen.addresses[{}]", i),
         fmt::format("found \"{}\", expected an address of one of the ports", to_string(listen))});
  }
}

void check_sizes(const Config& config, std::vector<Problem>& problems) {
  const dataplane::Sizes& sizes = config.sizes;
  const uint64_t needed = kSessionsOfPeer * uint64_t{sizes.peers};
  if (sizes.sessions < needed) {
    problems.push_back(
        {"sizes.sessions", fmt::format("found {}, expected at least {}: four for each of {} peers "
                                       "(current, previous or next, and one that each side makes)",
                                       sizes.sessions, needed, sizes.peers)});
  }
  try {
    dataplane::IndexLayout::make(sizes.sessions, static_cast<uint32_t>(config.worker_cores.size()));
  } catch (const std::invalid_argument& e) {
    problems.push_back(
        {"sizes.sessions", fmt::format("found {}, too many for {} workers: {}", sizes.sessions,
                                       config.worker_cores.size(), e.what())});
  }
}

void check_tunnel(const Config& config, std::vector<Problem>& problems) {
  for (size_t i = 0; i < config.tunnel_addresses.size(); ++i) {
    const IpAddr& tunnel = config.tunnel_addresses[i];
    for (const PortConfig& port : config.ports) {
      for (const PortAddress& address : port.addresses) {
        if (address.network.is_v4() != tunnel.is_v4() || !address.network.contains(tunnel)) {
          continue;
        }
        problems.push_back({fmt::format("tunnel_addresses[{}]", i),
                            fmt::format("found \"{}\", which is within the network {} of port "
                                        "\"{}\"; expected an address that only the tunnel has",
                                        to_string(tunnel), to_string(address.network), port.name)});
      }
    }
  }
}

}  // namespace

void check_settings(const Config& config, std::vector<Problem>& problems) {
  check_listen(config, problems);
  check_ports(config, problems);
  check_routes(config, problems);
  check_tunnel(config, problems);
  check_nat44(config, problems);
  check_sizes(config, problems);
}

}  // namespace wirelay::ctrl
