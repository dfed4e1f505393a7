// The "ports" of a configuration, and what must fit between them.
#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "ctrl/base/device.h"
#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::IpAddr;
using dataplane::PortAddress;
using dataplane::Prefix;

constexpr size_t kMaxAddresses = dataplane::kMaxPortAddresses - 1;  // link-local is added
constexpr std::string_view kAddress =
    "an address with its network's length such as "
    "\"198.51.100.1/24\" or \"2001:db8::1/64\"";

bool is_loopback(const IpAddr& addr) {
  return addr.is_v4() ? addr.bytes[12] == 127
                      : addr == IpAddr{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
}

bool is_end(const IpAddr& addr, const Prefix& network) {
  const auto ends = ends_of(network);
  return std::ranges::find(ends, addr) != ends.end();
}

std::optional<PortAddress> parse_port_address(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto addr = dataplane::parse_ip(std::string_view(text).substr(0, slash));
  const auto network = dataplane::parse_prefix(text);
  if (!addr || !network) return std::nullopt;
  return PortAddress{*addr, *network};
}

void read_addresses(ObjectReader& reader, PortConfig& port) {
  if (!reader.require("addresses", fmt::format("a list of at least one {}", kAddress))) return;
  const std::vector<std::string> texts = reader.texts("addresses");
  if (texts.empty() || texts.size() > kMaxAddresses) {
    reader.problem("addresses", fmt::format("found {} addresses, expected 1 to {}", texts.size(),
                                            kMaxAddresses));
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string name = fmt::format("addresses[{}]", i);
    const auto address = parse_port_address(texts[i]);
    if (!address) {
      reader.problem(name, fmt::format("found {}, expected {}", in_quotes(texts[i]), kAddress));
    } else if (address->addr.is_unspecified() || address->addr.is_multicast() ||
               is_loopback(address->addr) || is_end(address->addr, address->network)) {
      reader.problem(
          name, fmt::format("found {}, expected the address of one host", in_quotes(texts[i])));
    } else {
      port.addresses.push_back(*address);
    }
  }
}

void read_gateways(ObjectReader& reader, PortConfig& port) {
  const std::vector<std::string> texts = reader.texts("gateways");
  for (size_t i = 0; i < texts.size(); ++i) {
    if (const auto addr = dataplane::parse_ip(texts[i])) {
      port.gateways.push_back(*addr);
    } else {
      reader.problem(fmt::format("gateways[{}]", i),
                     fmt::format("found {}, expected an address such as \"198.51.100.254\"",
                                 in_quotes(texts[i])));
    }
  }
}

bool is_device(const std::string& text) {
  return !text.empty() && text.size() < 256 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

PortConfig read_port(const Json::Value& value, const Place& place, std::vector<Problem>& problems) {
  ObjectReader reader(value, place, problems);
  PortConfig port;
  if (reader.require("name", "a name for messages, such as \"wan\"")) {
    port.name = reader.text("name").value_or("wan");
    if (port.name.empty() || port.name.size() > 32 || !is_device(port.name)) {
      reader.problem("name", fmt::format("found {}, expected 1 to 32 characters without spaces",
                                         in_quotes(port.name)));
    }
  }
  constexpr std::string_view kDevice =
      "a PCI address such as \"0000:3b:00.0\", or a DPDK device "
      "such as \"net_af_packet0,iface=eth1\"";
  if (reader.require("device", kDevice)) {
    port.device = reader.text("device").value_or("-");
    if (!is_device(port.device)) {
      reader.problem("device",
                     fmt::format("found {}, expected {}", in_quotes(port.device), kDevice));
    }
  }
  read_addresses(reader, port);
  read_gateways(reader, port);
  if (const auto mtu = reader.number("mtu", kLeastMtu, kLargestMtu))
    port.mtu = static_cast<uint16_t>(*mtu);
  const auto descriptors = [&](const char* field) {
    return static_cast<uint16_t>(reader.number(field, 64, 32768).value_or(0));
  };
  port.rx_descriptors = descriptors("rx_descriptors");
  port.tx_descriptors = descriptors("tx_descriptors");
  if (const auto role = reader.choice("role", {"both", "tunnel", "egress"})) {
    port.tunnel = *role != 2;
    port.plain = *role != 1;
  }
  port.egress = reader.boolean("egress").value_or(false);
  reader.finish();
  return port;
}

/// Notes an entry that stood before, under its path.
class Unique {
 public:
  explicit Unique(std::vector<Problem>& problems) : problems_(problems) {}
  void add(const std::string& value, const std::string& path, std::string_view what = "found") {
    const auto [first, fresh] = seen_.emplace(value, path);
    if (fresh) return;
    problems_.push_back(
        {path, fmt::format("{} \"{}\", which is {} already", what, value, first->second)});
  }

 private:
  std::map<std::string, std::string> seen_;
  std::vector<Problem>& problems_;
};

/// A /32 or /128 says of nobody that it is on the link: its gateway is where the provider has it.
bool is_alone(const PortAddress& address) { return address.network.length == 128; }

void check_gateways(const PortConfig& port, const std::string& path,
                    std::vector<Problem>& problems) {
  const IpAddr* first[2] = {nullptr, nullptr};  // by family
  for (size_t i = 0; i < port.gateways.size(); ++i) {
    const IpAddr& gateway = port.gateways[i];
    const std::string at = fmt::format("{}.gateways[{}]", path, i);
    const auto note = [&](const std::string& what) {
      problems.push_back({at, fmt::format("found \"{}\", {}", to_string(gateway), what)});
    };
    const bool reachable = (!gateway.is_v4() && gateway.is_link_local()) ||
                           std::ranges::any_of(port.addresses, [&](const PortAddress& address) {
                             return address.network.is_v4() == gateway.is_v4() &&
                                    (address.network.contains(gateway) || is_alone(address));
                           });
    if (!reachable) {
      note(
          "expected an address within a network of this port's addresses, or a /32 or /128 of "
          "them");
    }
    if (std::ranges::any_of(port.addresses,
                            [&](const PortAddress& a) { return a.addr == gateway; })) {
      note("which is the relay's own address");
    }
    if (std::ranges::any_of(port.addresses, [&](const PortAddress& a) {
          return std::ranges::count(ends_of(a.network), gateway) != 0;
        })) {
      note("which is an end of this port's network, where no host is");
    }
    const IpAddr*& seen = first[gateway.is_v4() ? 0 : 1];
    if (seen != nullptr) note("expected at most one gateway of each family");
    seen = &gateway;
  }
}

}  // namespace

std::vector<IpAddr> ends_of(const Prefix& network) {
  if (!network.is_v4() || network.length > 126) return {};
  IpAddr highest = network.addr;
  for (int bit = network.length; bit < 128; ++bit) {
    highest.bytes[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(0x80 >> bit % 8);
  }
  return {network.addr, highest};
}

void read_ports(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  if (!root.require("ports", "a list of at least one port")) return;
  const Json::Value* list = root.list("ports");
  if (list == nullptr) return;
  if (list->empty() || list->size() > dataplane::kMaxPorts) {
    root.problem("ports", fmt::format("found {} ports, expected 1 to {}", list->size(),
                                      dataplane::kMaxPorts));
  }
  const Place place("ports");
  for (Json::ArrayIndex i = 0; i < list->size() && !enough(problems); ++i) {
    config.ports.push_back(read_port((*list)[i], {place, i}, problems));
  }
}

void check_ports(const Config& config, std::vector<Problem>& problems) {
  Unique names(problems), devices(problems), interfaces(problems), addresses(problems);
  std::map<Prefix, size_t> networks;
  const PortConfig* egress = nullptr;
  for (size_t i = 0; i < config.ports.size(); ++i) {
    const PortConfig& port = config.ports[i];
    const std::string path = fmt::format("ports[{}]", i);
    names.add(port.name, path + ".name");
    const Device device = parse_device(port.device);
    devices.add(device.name, path + ".device");
    if (const auto interface = device.argument("iface")) {
      interfaces.add(*interface, path + ".device", "found the interface");
    }
    for (size_t j = 0; j < port.addresses.size(); ++j) {
      const std::string at = fmt::format("{}.addresses[{}]", path, j);
      addresses.add(to_string(port.addresses[j].addr), at);
      const auto [first, fresh] = networks.emplace(port.addresses[j].network, i);
      if (!fresh && first->second != i) {
        problems.push_back({at, fmt::format("{} is a network of ports[{}] already",
                                            to_string(first->first), first->second)});
      }
    }
    check_gateways(port, path, problems);
    if (!port.egress) continue;
    if (!port.plain) {
      problems.push_back({path + ".role",
                          "found \"tunnel\", but \"egress\" is true: answers to what "
                          "leaves by the port come in by it, expected \"both\" or "
                          "\"egress\""});
    }
    if (egress != nullptr) {
      problems.push_back({path + ".egress", fmt::format("found true, but port \"{}\" is the egress "
                                                        "already, expected at most one",
                                                        egress->name)});
    }
    egress = &port;
    if (port.gateways.empty()) {
      problems.push_back({path + ".gateways",
                          "missing, expected the gateway that decrypted "
                          "traffic leaves by, as \"egress\" is true"});
    }
  }
  if (!config.ports.empty() && std::ranges::none_of(config.ports, &PortConfig::tunnel)) {
    problems.push_back({"ports", "no role is \"tunnel\" or \"both\": clients could come by none"});
  }
  for (size_t i = 0; i < config.tunnel_addresses.size(); ++i) {
    addresses.add(to_string(config.tunnel_addresses[i]), fmt::format("tunnel_addresses[{}]", i));
  }
}

}  // namespace wirelay::ctrl
