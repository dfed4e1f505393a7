// Writing a wg-quick file. What is not known stands there as a comment that says what is missing.
#include "cli/client_file.h"

#include "cli/format.h"
#include "cli/peer_table.h"

namespace wirelay::cli {

namespace {

/// What clients take by themselves (wg-quick(8)).
constexpr unsigned kUsualMtu = 1420;

/// Never more than a line: what follows in the file would be an instruction to wg-quick.
std::string line_of(const Json::Value& text) { return printable(text.asString()); }

bool is_host(const std::string& prefix) {
  const bool v6 = prefix.find(':') != std::string::npos;
  return prefix.ends_with(v6 ? "/128" : "/32") || prefix.find('/') == std::string::npos;
}

std::string in_one_line(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

/// The interface's own addresses: hosts among the allowed IPs. Networks behind a site's router are
/// not its own.
std::string addresses(const Json::Value& allowed_ips) {
  std::vector<std::string> hosts;
  for (const Json::Value& prefix : allowed_ips) {
    std::string host = line_of(prefix);
    if (is_host(host)) hosts.push_back(std::move(host));
  }
  if (!hosts.empty()) return "Address = " + in_one_line(hosts) + '\n';
  if (allowed_ips.empty()) return "# Address = none, until the relay allows this client one\n";
  return "# Address = an address of this client within " + printable(joined(allowed_ips)) + '\n';
}

/// A family that it has no address of would lead nowhere.
std::vector<std::string> everything(const Json::Value& allowed_ips) {
  bool v4 = false, v6 = false;
  for (const Json::Value& prefix : allowed_ips) {
    (prefix.asString().find(':') != std::string::npos ? v6 : v4) = true;
  }
  std::vector<std::string> all;
  if (v4 || !v6) all.emplace_back("0.0.0.0/0");
  if (v6 || !v4) all.emplace_back("::/0");
  return all;
}

std::string interface_section(const Json::Value& config, const ClientFileOptions& options) {
  std::string text = "[Interface]\n";
  if (options.private_key) {
    text += "PrivateKey = " + *options.private_key + '\n';
  } else {
    text +=
        "# PrivateKey = the private key that belongs to " + line_of(config["public_key"]) + '\n';
  }
  text += addresses(config["allowed_ips"]);
  const std::string dns =
      options.dns.empty() ? printable(joined(config["relay"]["dns"])) : in_one_line(options.dns);
  if (!dns.empty()) text += "DNS = " + dns + '\n';
  const Json::Value& mtu = config["relay"]["mtu"];
  if (mtu.isUInt() && mtu.asUInt() != kUsualMtu) text += "MTU = " + line_of(mtu) + '\n';
  return text;
}

std::string peer_section(const Json::Value& config, const ClientFileOptions& options) {
  const Json::Value& relay = config["relay"];
  std::string text = "[Peer]\n";
  if (relay["public_key"].isString()) {
    text += "PublicKey = " + line_of(relay["public_key"]) + '\n';
  } else {
    text += "# PublicKey = the relay's, as \"relayctl status\" tells it\n";
  }
  if (config["preshared_key"].isString()) {
    text += "PresharedKey = " + line_of(config["preshared_key"]) + '\n';
  }
  text += "AllowedIPs = " +
          in_one_line(options.allowed_ips.empty() ? everything(config["allowed_ips"])
                                                  : options.allowed_ips) +
          '\n';
  if (options.endpoint || relay["endpoint"].isString()) {
    text += "Endpoint = " + options.endpoint.value_or(line_of(relay["endpoint"])) + '\n';
  } else {
    text +=
        "# Endpoint = the relay's host:port (--endpoint, or public_endpoint in the relay's "
        "configuration)\n";
  }
  if (options.keepalive) text += "PersistentKeepalive = " + *options.keepalive + '\n';
  return text;
}

}  // namespace

std::string client_file(const Json::Value& config, const ClientFileOptions& options) {
  return "# " + line_of(config["name"]) + ", user " + line_of(config["user"]) + '\n' +
         interface_section(config, options) + '\n' + peer_section(config, options);
}

}  // namespace wirelay::cli
