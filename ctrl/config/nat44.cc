// "nat44": which addresses users go out with, and how much of them each may have.
#include <algorithm>
#include <bit>

#include <fmt/core.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::NatSettings;
using dataplane::Prefix;

constexpr uint32_t kLeastBlockPorts = 64, kMostBlockPorts = 4096;
constexpr uint32_t kMostFlows = 65'535, kLeastRecords = 1024, kMostRecords = 64'000'000;
constexpr uint32_t kDay = 86'400;
constexpr size_t kMostPools = 32;  // each packet is compared with each

/// What the RFCs ask for at least: a mapping that ends earlier breaks what relies on them.
constexpr uint32_t kLeastUdp = 120, kLeastIcmp = 60, kLeastTcp = 7440, kLeastTransitory = 240;

const PortConfig* find_port(const Config& config, const std::string& name) {
  const auto found = std::ranges::find(config.ports, name, &PortConfig::name);
  return found == config.ports.end() ? nullptr : &*found;
}

/// As configured, or the egress port.
const PortConfig* read_port_name(ObjectReader& reader, const Config& config) {
  if (const auto name = reader.text("port")) {
    const PortConfig* port = find_port(config, *name);
    if (port == nullptr) {
      reader.problem(
          "port", fmt::format("found {}, expected the name of one of the ports", in_quotes(*name)));
    }
    return port;
  }
  const auto egress = std::ranges::find(config.ports, true, &PortConfig::egress);
  if (egress != config.ports.end()) return &*egress;
  reader.problem("port", "missing, expected the name of a port, as none has \"egress\": true");
  return nullptr;
}

void read_addresses(ObjectReader& reader, NatSettings& settings) {
  const std::vector<std::string> texts = reader.texts("addresses");
  if (texts.size() > kMostPools) {
    return reader.problem("addresses",
                          fmt::format("found {} entries, expected at most {}: sum them "
                                      "up to prefixes",
                                      texts.size(), kMostPools));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto pool = dataplane::parse_prefix(texts[i]);
    const std::string at = fmt::format("addresses[{}]", i);
    if (!pool || !pool->is_v4() || pool->length < 96 + 16) {
      reader.problem(at, fmt::format("found {}, expected an IPv4 address, or a prefix from /16 on, "
                                     "such as \"198.51.100.64/28\"",
                                     in_quotes(texts[i])));
      continue;
    }
    for (const Prefix& other : settings.pools) {
      if (!other.overlaps(*pool)) continue;
      reader.problem(at, fmt::format("{} overlaps {}", to_string(*pool), to_string(other)));
    }
    settings.pools.push_back(*pool);
  }
}

/// Without addresses of their own, users go out with the port's.
void take_ports_address(ObjectReader& reader, const PortConfig& port, NatSettings& settings) {
  for (const dataplane::PortAddress& address : port.addresses) {
    if (!address.addr.is_v4()) continue;
    settings.pools = {Prefix{address.addr, 128}};
    return;
  }
  reader.problem("addresses", fmt::format("missing, expected a list of IPv4 addresses, as port "
                                          "\"{}\" has none",
                                          port.name));
}

void read_numbers(ObjectReader& reader, NatSettings& settings) {
  const auto number = [&](const char* name, uint32_t least, uint32_t most, uint32_t& to) {
    to = static_cast<uint32_t>(reader.number(name, least, most).value_or(to));
  };
  number("block_ports", kLeastBlockPorts, kMostBlockPorts, settings.block_ports);
  if (!std::has_single_bit(settings.block_ports)) {
    reader.problem("block_ports",
                   fmt::format("found {}, expected a power of two from {} to {}",
                               settings.block_ports, kLeastBlockPorts, kMostBlockPorts));
  }
  number("max_blocks", 1, dataplane::kNatMostBlocks, settings.each.blocks);
  number("max_flows", 1, kMostFlows, settings.each.flows);
  number("flows", kLeastRecords, kMostRecords, settings.flows);
  number("udp_timeout", kLeastUdp, kDay, settings.udp_seconds);
  number("icmp_timeout", kLeastIcmp, kDay, settings.icmp_seconds);
  number("tcp_timeout", kLeastTcp, 7 * kDay, settings.tcp_seconds);
  number("tcp_transitory_timeout", kLeastTransitory, kDay, settings.tcp_transitory_seconds);
}

void read_ipfix(ObjectReader& nat, std::vector<Problem>& problems, Nat44Config& config) {
  const Json::Value* value = nat.object("ipfix");
  if (value == nullptr) return;
  ObjectReader reader(*value, "nat44.ipfix", problems);
  reader.require("collector", "an address and a port such as \"192.0.2.50:4739\"");
  if (const auto text = reader.text("collector")) {
    config.collector = dataplane::parse_endpoint(*text);
    if (!config.collector || config.collector->port == 0) {
      reader.problem("collector", fmt::format("found {}, expected an address and a port such as "
                                              "\"192.0.2.50:4739\"",
                                              in_quotes(*text)));
    }
  }
  config.domain = static_cast<uint32_t>(reader.number("domain", 0, UINT32_MAX).value_or(1));
  reader.finish();
}

}  // namespace

void read_nat44(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* value = root.object("nat44");
  if (value == nullptr) return;
  ObjectReader reader(*value, "nat44", problems);
  Nat44Config nat;
  NatSettings& settings = nat.settings;
  const PortConfig* port = read_port_name(reader, config);
  read_addresses(reader, settings);
  if (port != nullptr) {
    nat.port = port->name;
    if (reader.any("addresses") == nullptr) take_ports_address(reader, *port, settings);
  }
  read_numbers(reader, settings);
  if (const auto choice =
          reader.choice("filtering", {"endpoint_independent", "address_and_port_dependent"})) {
    settings.filtering = static_cast<dataplane::NatFiltering>(*choice);
  }
  read_nat44_rules(reader, problems, settings);
  read_ipfix(reader, problems, nat);
  reader.finish();
  config.nat44 = std::move(nat);
}

std::vector<Prefix> Nat44Config::public_prefixes() const {
  std::vector<Prefix> prefixes = settings.pools;
  for (const dataplane::NatStatic& rule : settings.statics) {
    if (rule.protocol == 0) prefixes.push_back({dataplane::IpAddr::v4(&rule.address), 128});
  }
  return prefixes;
}

void check_nat44(const Config& config, std::vector<Problem>& problems) {
  if (!config.nat44) return;
  const NatSettings& settings = config.nat44->settings;
  const auto note = [&](const char* field, const std::string& text) {
    problems.push_back({std::string("nat44.") + field, text});
  };
  const PortConfig* port = find_port(config, config.nat44->port);
  if (port != nullptr && !port->plain) {
    note("port", "its role is \"tunnel\": answers from outside could not come in");
  }
  if (settings.pools.empty()) note("addresses", "is empty, expected at least one address");
  const uint64_t addresses = dataplane::count_addresses(settings.pools);
  if (addresses > dataplane::kNatMostAddresses) {
    note("addresses", fmt::format("found {} addresses, expected at most {}", addresses,
                                  dataplane::kNatMostAddresses));
  }
  for (const Prefix& pool : settings.pools) {
    const auto note_as = [&](const char* what) {
      note("addresses",
           fmt::format("{} is {} itself, expected a part of it, or addresses elsewhere",
                       to_string(pool), what));
    };
    if (std::ranges::find(config.routes, pool, &RouteConfig::prefix) != config.routes.end()) {
      note_as("one of \"routes\"");
    }
    for (const PortConfig& other : config.ports) {
      const auto is_network = [&](const dataplane::PortAddress& a) {
        return a.network == pool && a.network.length != 128;
      };
      if (std::ranges::any_of(other.addresses, is_network)) note_as("a port's network");
      for (const dataplane::IpAddr& gateway : other.gateways) {
        if (!pool.contains(gateway)) continue;
        note("addresses", fmt::format("{} holds the gateway {} of port \"{}\"", to_string(pool),
                                      to_string(gateway), other.name));
      }
    }
  }
  check_nat44_rules(config, problems);
}

}  // namespace wirelay::ctrl
