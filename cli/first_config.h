// The first configuration of a relay with one port, from a few answers.
#pragma once

#include <string>
#include <vector>

namespace wirelay::cli {

/// As the operator gives them; relayd checks them.
struct FirstConfig {
  std::string interface;               // of Linux
  std::vector<std::string> addresses;  // the relay's own there: "198.51.100.7/24"
  std::vector<std::string> gateways;
  std::string endpoint;             // host:port that clients are told
  std::vector<std::string> tunnel;  // networks of which peers get addresses: "10.77.0.0/16"
  std::vector<std::string> dns;     // for clients
  std::string udp_port = "51820";
  unsigned cores = 1;  // of this machine
};

/// The host of a network with the number `host`: "10.77.0.1" of "10.77.0.0/16" for 1. Throws
/// UsageError, which names `option`, when the text is no network with room for it.
std::string host_of(const std::string& network, unsigned host, const std::string& option);

/// relayd.json, with comments, and private.key beside it. Throws UsageError.
std::string first_config_text(const FirstConfig& answers);

/// Where the machine's own traffic leaves by, as /proc/net/route has it: by a gateway, and with the
/// least metric; both empty when there is none such.
struct DefaultRoute {
  std::string interface, gateway;
};
DefaultRoute default_route(const std::string& routes);

}  // namespace wirelay::cli
