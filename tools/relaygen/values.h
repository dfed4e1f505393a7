// Option values by their text: numbers, rates, lists, MAC and interface addresses.
// Each function throws UsageError that names the option, the text, and what it should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rte_ether.h>

#include "dataplane/ip.h"

namespace wirelay::relaygen {

/// "a,b" into {"a", "b"}.
std::vector<std::string> split(std::string_view text, char separator);

uint64_t parse_count(std::string_view option, const std::string& text, uint64_t least,
                     uint64_t greatest);
double parse_number(std::string_view option, const std::string& text, double least,
                    double greatest);

/// An offered rate: packets a second, or bits of inner IP packets a second.
struct Rate {
  double value = 0;
  bool in_bits = false;

  /// Packets a second, for inner packets of `mean_bytes`.
  [[nodiscard]] double packets(double mean_bytes) const noexcept {
    return in_bits ? value / (8 * mean_bytes) : value;
  }
};

/// "250000", "1.5M" (packets a second) or "10Gbit" (inner IP bits a second), with K, M, G as powers
/// of 1,000; nullopt for "max".
std::optional<Rate> parse_rate(std::string_view option, const std::string& text);

rte_ether_addr parse_mac(std::string_view option, const std::string& text);
dataplane::IpAddr parse_address(std::string_view option, const std::string& text);
dataplane::Prefix parse_network(std::string_view option, const std::string& text);

/// An address of ours and the network it is in: "192.0.2.1/24".
struct Interface {
  dataplane::IpAddr addr;
  dataplane::Prefix network;
};
Interface parse_interface(std::string_view option, const std::string& text);

}  // namespace wirelay::relaygen
