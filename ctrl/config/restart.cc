// What a reload cannot change.
#include <algorithm>

#include "ctrl/config/config.h"

namespace wirelay::ctrl {

namespace {

bool same_address(const dataplane::PortAddress& a, const dataplane::PortAddress& b) {
  return a.addr == b.addr && a.network == b.network;
}

bool same_port(const PortConfig& a, const PortConfig& b) {
  return a.name == b.name && a.device == b.device && a.gateways == b.gateways && a.mtu == b.mtu &&
         a.tunnel == b.tunnel && a.plain == b.plain && a.rx_descriptors == b.rx_descriptors &&
         a.tx_descriptors == b.tx_descriptors && a.egress == b.egress &&
         std::ranges::equal(a.addresses, b.addresses, same_address);
}

bool same_route(const RouteConfig& a, const RouteConfig& b) {
  return a.prefix == b.prefix && a.port == b.port && a.via == b.via;
}

bool same_sizes(const dataplane::Sizes& a, const dataplane::Sizes& b) {
  return a.users == b.users && a.peers == b.peers && a.sessions == b.sessions &&
         a.prefixes == b.prefixes && a.neighbours == b.neighbours && a.mbufs == b.mbufs;
}

/// What a reload takes is left out.
void forget_live(Nat44Config& nat) {
  nat.settings.each = {};
  std::erase_if(nat.settings.statics, [](const auto& rule) { return rule.protocol != 0; });
}

}  // namespace

bool same_at_start(std::optional<Nat44Config> a, std::optional<Nat44Config> b) {
  for (auto* nat : {&a, &b}) {
    if (*nat) forget_live(**nat);
  }
  return a == b;
}

std::vector<std::string> needs_restart(const Config& running, const Config& next) {
  std::vector<std::string> parts;
  const auto compare = [&](const char* name, bool same) {
    if (!same) parts.emplace_back(name);
  };
  compare("listen",
          running.udp_ports == next.udp_ports && running.listen_addresses == next.listen_addresses);
  compare("ports", std::ranges::equal(running.ports, next.ports, same_port));
  compare("routes", std::ranges::equal(running.routes, next.routes, same_route));
  compare("address_pools", running.address_pools == next.address_pools);
  compare("nat44", same_at_start(running.nat44, next.nat44));
  compare("tunnel_addresses", running.tunnel_addresses == next.tunnel_addresses);
  compare("workers", running.worker_cores == next.worker_cores &&
                         running.control_core == next.control_core &&
                         running.polling == next.polling &&
                         running.handshake_threads == next.handshake_threads);
  compare("sizes", same_sizes(running.sizes, next.sizes));
  compare("replay_window", running.sizes.replay_packets == next.sizes.replay_packets);
  compare("aead_engine", running.aead_engine == next.aead_engine);
  compare("huge_pages", running.huge_pages == next.huge_pages);
  compare("system_calls", running.restrict_system_calls == next.restrict_system_calls);
  compare("control_socket", running.control_socket == next.control_socket);
  compare("control_socket_group", running.control_socket_group == next.control_socket_group);
  compare("http", running.http.listen == next.http.listen);
  compare("wg", running.wg.interface == next.wg.interface && running.wg.user == next.wg.user);
  compare("store", running.store == next.store && running.usage_interval == next.usage_interval);
  compare("events_kept", running.events_kept == next.events_kept);
  compare("control_read_group", running.control_read_group == next.control_read_group);
  return parts;
}

}  // namespace wirelay::ctrl
