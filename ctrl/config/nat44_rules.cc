// "nat44.forwards" and "nat44.one_to_one": what leads inside by rule.
#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/core.h>
#include <netinet/in.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::IpAddr;
using dataplane::NatSettings;
using dataplane::NatStatic;

constexpr uint32_t kMostForwardedPorts = 65'536;  // of all forwards together
constexpr size_t kMostAddressRules = 65'536;

std::optional<IpAddr> read_ipv4(ObjectReader& reader, const char* name) {
  const auto text = reader.text(name);
  if (!text) return std::nullopt;
  const auto addr = dataplane::parse_ip(*text);
  if (addr && addr->is_v4() && !addr->is_unspecified() && !addr->is_multicast()) return addr;
  reader.problem(name, fmt::format("found {}, expected an IPv4 address", in_quotes(*text)));
  return std::nullopt;
}

bool in_pools(const NatSettings& settings, const IpAddr& addr) {
  return std::ranges::any_of(settings.pools, [&](const auto& pool) { return pool.contains(addr); });
}

void read_forward(ObjectReader& reader, NatSettings& settings) {
  reader.require("protocol", "\"tcp\" or \"udp\"");
  reader.require("port", "a port from 1 to 65535");
  reader.require("to", "the IPv4 address of a peer");
  NatStatic rule;
  const auto protocol = reader.choice("protocol", {"tcp", "udp"});
  rule.protocol = protocol.value_or(0) == 0 ? IPPROTO_TCP : IPPROTO_UDP;
  rule.port = static_cast<uint16_t>(reader.number("port", 1, 65535).value_or(1));
  rule.count = static_cast<uint16_t>(reader.number("ports", 1, 65535).value_or(1));
  rule.inside_port = static_cast<uint16_t>(reader.number("to_port", 1, 65535).value_or(rule.port));
  if (const auto to = read_ipv4(reader, "to")) rule.inside = to->v4_be();
  const auto address = read_ipv4(reader, "address");
  if (address && !in_pools(settings, *address)) {
    reader.problem("address", fmt::format("{} is none of \"addresses\"", to_string(*address)));
  }
  if (address) {
    rule.address = address->v4_be();
  } else if (!settings.pools.empty()) {
    rule.address = settings.pools.front().addr.v4_be();
  }
  if (std::max(rule.port, rule.inside_port) + rule.count - 1 > 65535) {
    reader.problem("ports", fmt::format("found {}, which leads behind port 65535", rule.count));
  }
  reader.finish();
  settings.statics.push_back(rule);
}

void read_address_rule(ObjectReader& reader, NatSettings& settings) {
  reader.require("address", "a public IPv4 address");
  reader.require("to", "the IPv4 address of a peer");
  NatStatic rule;
  const auto address = read_ipv4(reader, "address"), to = read_ipv4(reader, "to");
  if (address && in_pools(settings, *address)) {
    reader.problem("address", fmt::format("{} is one of \"addresses\", expected one that is the "
                                          "peer's alone",
                                          to_string(*address)));
  }
  if (address) rule.address = address->v4_be();
  if (to) rule.inside = to->v4_be();
  reader.finish();
  settings.statics.push_back(rule);
}

void read_list(ObjectReader& nat, const char* name, std::vector<Problem>& problems,
               NatSettings& settings, void (*read)(ObjectReader&, NatSettings&)) {
  const Json::Value* list = nat.list(name);
  const std::string path = std::string("nat44.") + name;
  const Place place(path);
  for (Json::ArrayIndex i = 0; list != nullptr && i < list->size() && !enough(problems); ++i) {
    ObjectReader reader((*list)[i], {place, i}, problems);
    read(reader, settings);
  }
}

/// An end of a rule: no two have the same.
class Ends {
 public:
  bool add(uint32_t address, uint8_t protocol, uint16_t port) {
    return ends_.emplace(address, protocol, port).second;
  }

 private:
  std::set<std::tuple<uint32_t, uint8_t, uint16_t>> ends_;
};

std::string text_of(uint32_t address) { return to_string(IpAddr::v4(&address)); }

void check_ends(const NatSettings& settings, std::vector<Problem>& problems) {
  Ends outside, inside;
  for (const NatStatic& rule : settings.statics) {
    const bool all = rule.protocol == 0;
    for (uint32_t i = 0; i < rule.count; ++i) {
      const auto port = static_cast<uint16_t>(all ? 0 : rule.port + i);
      const auto inside_port = static_cast<uint16_t>(all ? 0 : rule.inside_port + i);
      const char* list = all ? "nat44.one_to_one" : "nat44.forwards";
      if (!outside.add(rule.address, rule.protocol, port)) {
        problems.push_back(
            {list, fmt::format("{} leads to two places",
                               all ? text_of(rule.address)
                                   : fmt::format("port {} of {}", port, text_of(rule.address)))});
        return;
      }
      if (!inside.add(rule.inside, rule.protocol, inside_port)) {
        problems.push_back(
            {list, fmt::format("two lead to {}", all ? text_of(rule.inside)
                                                     : fmt::format("port {} of {}", inside_port,
                                                                   text_of(rule.inside)))});
        return;
      }
    }
  }
}

/// WireGuard's ports stay the relay's, and its addresses no peer's alone.
void check_own(const Config& config, std::vector<Problem>& problems) {
  for (const NatStatic& rule : config.nat44->settings.statics) {
    const bool ours = std::ranges::any_of(config.ports, [&](const PortConfig& port) {
      return std::ranges::any_of(port.addresses, [&](const auto& a) {
        return a.addr.is_v4() && a.addr.v4_be() == rule.address;
      });
    });
    if (ours && rule.protocol == 0) {
      problems.push_back({"nat44.one_to_one",
                          fmt::format("{} is the relay's own address", text_of(rule.address))});
    }
    for (const uint16_t port : config.udp_ports) {
      if (!ours || rule.protocol != IPPROTO_UDP || port < rule.port ||
          port - rule.port >= rule.count) {
        continue;
      }
      problems.push_back({"nat44.forwards", fmt::format("UDP port {} of {} is WireGuard's", port,
                                                        text_of(rule.address))});
    }
  }
}

}  // namespace

void read_nat44_rules(ObjectReader& nat, std::vector<Problem>& problems, NatSettings& settings) {
  read_list(nat, "forwards", problems, settings, read_forward);
  read_list(nat, "one_to_one", problems, settings, read_address_rule);
}

void check_nat44_rules(const Config& config, std::vector<Problem>& problems) {
  const NatSettings& settings = config.nat44->settings;
  uint64_t ports = 0, addresses = 0;
  for (const NatStatic& rule : settings.statics) {
    (rule.protocol == 0 ? addresses : ports) += rule.protocol == 0 ? 1 : rule.count;
  }
  if (ports > kMostForwardedPorts) {
    problems.push_back({"nat44.forwards", fmt::format("found {} ports, expected at most {}", ports,
                                                      kMostForwardedPorts)});
  }
  if (addresses > kMostAddressRules) {
    problems.push_back({"nat44.one_to_one", fmt::format("found {} addresses, expected at most {}",
                                                        addresses, kMostAddressRules)});
  }
  check_ends(settings, problems);
  check_own(config, problems);
}

}  // namespace wirelay::ctrl
