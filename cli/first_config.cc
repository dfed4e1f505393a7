// JSON with comments, written as an operator would write it.
#include "cli/first_config.h"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <sstream>

#include <arpa/inet.h>
#include <json/value.h>

#include "cli/errors.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

std::string quoted_text(const std::string& text) { return ctrl::write_json(Json::Value(text)); }

std::string list_text(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quoted_text(text);
  return "[" + list + "]";
}

bool has_v4(const std::vector<std::string>& addresses) {
  return std::ranges::any_of(
      addresses, [](const std::string& address) { return address.find(':') == std::string::npos; });
}

}  // namespace

std::string host_of(const std::string& network, unsigned host, const std::string& option) {
  const UsageError wrong(option + ": found \"" + network +
                         "\", expected a network such as 10.77.0.0/16 or fd77::/64");
  const size_t slash = network.find('/');
  if (slash == std::string::npos) throw wrong;
  const std::string address = network.substr(0, slash), length = network.substr(slash + 1);
  const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::array<unsigned char, 16> bytes{};
  const unsigned bits = family == AF_INET ? 32 : 128;
  if (inet_pton(family, address.c_str(), bytes.data()) != 1) throw wrong;
  if (length.empty() || length.size() > 3 ||
      length.find_first_not_of("0123456789") != std::string::npos ||
      std::stoul(length) > bits - 8) {
    throw wrong;
  }
  bytes[bits / 8 - 1] = static_cast<unsigned char>(bytes[bits / 8 - 1] + host);
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family, bytes.data(), text, sizeof text);
}

std::string first_config_text(const FirstConfig& answers) {
  std::vector<std::string> own;
  std::ostringstream pools;
  for (const std::string& network : answers.tunnel) {
    own.push_back(host_of(network, 1, "--tunnel"));
    pools << (pools.tellp() == 0 ? "" : ",\n                    ")
          << "{\"prefix\": " << quoted_text(network) << '}';
  }
  std::ostringstream text;
  text << "// Made by \"relayctl setup\". \"relayd --check\" tells what is wrong with it, and\n"
          "// docs/configuration.md what else there is. Users and peers are in the store.\n"
          "{\n"
          "  \"identity\": {\"private_key_file\": \"private.key\"},\n"
          "  \"listen\": {\"udp_port\": "
       << answers.udp_port
       << "},\n"
          "  \"public_endpoint\": "
       << quoted_text(answers.endpoint) << ",\n";
  if (!answers.dns.empty()) text << "  \"client_dns\": " << list_text(answers.dns) << ",\n";
  text << "\n"
          "  // The kernel keeps the interface; the relay's addresses are none of the kernel's.\n"
          "  \"ports\": [{\"name\": \"net\", \"device\": "
       << quoted_text("net_af_packet0,iface=" + answers.interface)
       << ",\n"
          "             \"addresses\": "
       << list_text(answers.addresses)
       << ",\n"
          "             \"gateways\": "
       << list_text(answers.gateways)
       << ", \"egress\": true}],\n"
          "\n"
          "  // The relay's own addresses in the tunnel, and where peers get theirs.\n"
          "  \"tunnel_addresses\": "
       << list_text(own)
       << ",\n"
          "  \"address_pools\": ["
       << pools.str()
       << "],\n"
          "\n"
       << (has_v4(answers.addresses)
               ? "  // Clients go out with the port's own address, as behind a home router.\n"
                 "  \"nat44\": {},\n\n"
               : "")
       << "  \"workers\": {\"cores\": [" << (answers.cores > 1 ? 1 : 0)
       << "], \"control_core\": 0, \"polling\": \"adaptive\"}\n"
          "}\n";
  return text.str();
}

DefaultRoute default_route(const std::string& routes) {
  constexpr unsigned long kByGateway = 2;  // RTF_GATEWAY
  DefaultRoute best;
  unsigned long least = ULONG_MAX;
  std::istringstream lines(routes);
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string interface, destination, gateway, mask, ignored;
    unsigned long flags = 0, metric = 0;
    fields >> interface >> destination >> gateway >> std::hex >> flags >> ignored >> ignored >>
        std::dec >> metric >> mask;
    if (!fields || destination != "00000000" || mask != "00000000" || gateway.size() != 8) continue;
    if ((flags & kByGateway) == 0 || metric >= least) continue;
    least = metric;
    in_addr address{};
    address.s_addr = static_cast<in_addr_t>(std::stoul(gateway, nullptr, 16));
    char text[INET_ADDRSTRLEN];
    best = {interface, inet_ntop(AF_INET, &address, text, sizeof text)};
  }
  return best;
}

}  // namespace wirelay::cli
