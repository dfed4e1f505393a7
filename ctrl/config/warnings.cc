// What a configuration may say, and probably does not mean.
#include <algorithm>

#include <fmt/core.h>

#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::PortAddress;
using dataplane::Prefix;

bool lies_within(const Prefix& inner, const Prefix& outer) {
  return inner.is_v4() == outer.is_v4() && inner.length > outer.length &&
         outer.contains(inner.addr);
}

/// Networks of two ports, one within the other; equal ones are refused elsewhere.
void warn_of_overlap(const Config& config, std::vector<Problem>& warnings) {
  for (size_t i = 0; i < config.ports.size(); ++i) {
    for (size_t j = 0; j < config.ports[i].addresses.size(); ++j) {
      const Prefix& inner = config.ports[i].addresses[j].network;
      for (const PortConfig& other : config.ports) {
        if (&other == &config.ports[i]) continue;
        const auto outer = std::ranges::find_if(other.addresses, [&](const PortAddress& address) {
          return lies_within(inner, address.network);
        });
        if (outer == other.addresses.end()) continue;
        warnings.push_back(
            {fmt::format("ports[{}].addresses[{}]", i, j),
             fmt::format("{} lies within {} of port \"{}\", whose hosts in it cannot be reached",
                         to_string(inner), to_string(outer->network), other.name)});
      }
    }
  }
}

void warn_of_no_egress(const Config& config, std::vector<Problem>& warnings) {
  const bool egress = std::ranges::any_of(config.ports, &PortConfig::egress);
  const bool any_default = std::ranges::any_of(config.routes, [](const RouteConfig& route) {
    return route.prefix == kDefault4 || route.prefix == kDefault6;
  });
  if (egress || any_default) return;
  warnings.push_back(
      {"ports",
       "none is the egress and no route is a default: what clients send to elsewhere "
       "than peers, ports' networks and routes is dropped; \"egress\": true names "
       "the port that leads to the Internet"});
}

void warn_of_open_http(const Config& config, std::vector<Problem>& warnings) {
  const auto& listen = config.http.listen;
  if (!listen || kLoopback4.contains(listen->addr) || kLoopback6.contains(listen->addr)) return;
  warnings.push_back({"http.listen", "whoever reaches " + to_string(*listen) +
                                         " reads the relay's metrics, for no one is asked who he "
                                         "is"});
}

}  // namespace

std::vector<Problem> warnings_of(const Config& config) {
  std::vector<Problem> warnings;
  warn_of_overlap(config, warnings);
  warn_of_no_egress(config, warnings);
  warn_of_open_http(config, warnings);
  return warnings;
}

}  // namespace wirelay::ctrl
