// The fields of a configuration beside ports and users, with their defaults.
#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "crypto/aead.h"
#include "ctrl/base/log.h"
#include "ctrl/base/read_socket.h"
#include "ctrl/config/parts.h"

namespace wirelay::ctrl {

namespace {

using dataplane::IpAddr;

constexpr unsigned kMaxCore = 1023;
constexpr unsigned kMaxHandshakeThreads = 16;
constexpr unsigned kMostUsageInterval = 300;
// sockaddr_un, with room for the ending of the socket for readers
constexpr size_t kMaxSocketPath = 107 - std::string_view(kReadSocketEnding).size();

std::string resolved(const std::string& directory, const std::string& file) {
  return std::filesystem::path(directory) / file;
}

bool is_host(std::string_view text) {
  if (dataplane::parse_ip(text)) return true;
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-';
         });
}

/// "vpn.example.net:51820", "198.51.100.1:51820" or "[2001:db8::1]:51820".
bool is_public_endpoint(const std::string& text) {
  if (const auto endpoint = dataplane::parse_endpoint(text)) return endpoint->port != 0;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || !is_host(std::string_view(text).substr(0, colon))) return false;
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })) {
    return false;
  }
  const unsigned long number = std::stoul(port);
  return number >= 1 && number <= 65535;
}

std::vector<IpAddr> read_ips(ObjectReader& reader, const char* name) {
  std::vector<IpAddr> addrs;
  const std::vector<std::string> texts = reader.texts(name);
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", name, i);
    const auto addr = dataplane::parse_ip(texts[i]);
    if (!addr || addr->is_unspecified() || addr->is_multicast()) {
      reader.problem(at, fmt::format("found {}, expected an address such as \"10.77.0.1\" or "
                                     "\"fd77::1\"",
                                     in_quotes(texts[i])));
    } else if (std::ranges::find(addrs, *addr) != addrs.end()) {
      reader.problem(at, fmt::format("found {} for the second time", in_quotes(texts[i])));
    } else {
      addrs.push_back(*addr);
    }
  }
  return addrs;
}

void read_identity(ObjectReader& root, const std::string& directory, Config& config,
                   std::vector<Problem>& problems) {
  if (!root.require("identity", "an object with \"private_key_file\"")) return;
  const Json::Value* value = root.object("identity");
  if (value == nullptr) return;
  ObjectReader reader(*value, "identity", problems);
  if (reader.require("private_key_file", "the name of a file that \"relayctl genkey\" wrote")) {
    if (const auto file = reader.text("private_key_file")) {
      config.private_key_file = resolved(directory, *file);
    }
  }
  reader.finish();
}

void read_udp_ports(ObjectReader& reader, Config& config) {
  const Json::Value* list = reader.list("udp_ports");
  if (list == nullptr) return;
  if (reader.any("udp_port") != nullptr) {
    reader.problem("udp_ports", "stands beside \"udp_port\", expected one of them");
  }
  if (list->empty() || list->size() > kMaxUdpPorts) {
    reader.problem("udp_ports",
                   fmt::format("found {} ports, expected 1 to {}", list->size(), kMaxUdpPorts));
  }
  config.udp_ports.clear();
  for (Json::ArrayIndex i = 0; i < list->size() && !reader.enough(); ++i) {
    const Json::Value& port = (*list)[i];
    const std::string at = fmt::format("udp_ports[{}]", i);
    if (!port.isNumeric() || !port.isUInt() || port.asUInt() < 1 || port.asUInt() > 65535) {
      reader.problem(at, expected(port, "a whole number from 1 to 65535"));
    } else if (std::ranges::find(config.udp_ports, port.asUInt()) != config.udp_ports.end()) {
      reader.problem(at, fmt::format("found {} for the second time", port.asUInt()));
    } else {
      config.udp_ports.push_back(static_cast<uint16_t>(port.asUInt()));
    }
  }
}

void read_listen(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* value = root.object("listen");
  if (value == nullptr) return;
  ObjectReader reader(*value, "listen", problems);
  if (const auto port = reader.number("udp_port", 1, 65535)) {
    config.udp_ports = {static_cast<uint16_t>(*port)};
  }
  read_udp_ports(reader, config);
  config.listen_addresses = read_ips(reader, "addresses");
  reader.finish();
}

void read_routes(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* list = root.list("routes");
  const Place place("routes");
  for (Json::ArrayIndex i = 0; list != nullptr && i < list->size() && !enough(problems); ++i) {
    ObjectReader reader((*list)[i], {place, i}, problems);
    reader.require("prefix", "a prefix such as \"10.9.0.0/16\"");
    reader.require("port", "the name of a port");
    reader.require("via", "the address of the next hop");
    const auto prefix_text = reader.text("prefix");
    const auto via_text = reader.text("via");
    RouteConfig route{{}, reader.text("port").value_or(""), {}};
    if (prefix_text) {
      const auto prefix = dataplane::parse_prefix(*prefix_text);
      if (prefix)
        route.prefix = *prefix;
      else
        reader.problem("prefix", fmt::format("found {}, expected a prefix such as \"10.9.0.0/16\"",
                                             in_quotes(*prefix_text)));
    }
    if (via_text) {
      const auto via = dataplane::parse_ip(*via_text);
      if (via)
        route.via = *via;
      else
        reader.problem("via", fmt::format("found {}, expected an address", in_quotes(*via_text)));
    }
    reader.finish();
    config.routes.push_back(std::move(route));
  }
}

void read_workers(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  const Json::Value* value = root.object("workers");
  if (value == nullptr) {
    config.worker_cores = {0};
    return;
  }
  ObjectReader reader(*value, "workers", problems);
  if (const auto core = reader.number("control_core", 0, kMaxCore)) {
    config.control_core = static_cast<unsigned>(*core);
  }
  if (const auto polling = reader.choice("polling", {"busy", "adaptive"})) {
    config.polling = *polling == 0 ? dataplane::Polling::kBusy : dataplane::Polling::kAdaptive;
  }
  if (const auto threads = reader.number("handshake_threads", 0, kMaxHandshakeThreads)) {
    config.handshake_threads = static_cast<unsigned>(*threads);
  }
  const Json::Value* cores =
      reader.require("cores", "a list of cores such as [1]") ? reader.list("cores") : nullptr;
  if (cores != nullptr && (cores->empty() || cores->size() > kMaxWorkers)) {
    reader.problem("cores",
                   fmt::format("found {} cores, expected 1 to {}", cores->size(), kMaxWorkers));
  }
  for (Json::ArrayIndex i = 0; cores != nullptr && i < cores->size(); ++i) {
    const Json::Value& core = (*cores)[i];
    if (core.isNumeric() && core.isUInt() && core.asUInt() <= kMaxCore) {
      config.worker_cores.push_back(core.asUInt());
    } else {
      reader.problem(fmt::format("cores[{}]", i),
                     expected(core, fmt::format("a whole number from 0 to {}", kMaxCore)));
    }
  }
  reader.finish();
}

/// Buffers for full queues of every worker on every port, and what lies in rings and caches.
uint32_t default_mbufs(const Config& config) {
  const auto workers = static_cast<uint32_t>(config.worker_cores.size());
  uint32_t buffers = workers * 4096;
  for (const PortConfig& port : config.ports) {
    const bool hardware = parse_device(port.device).bus != Device::Bus::kVirtual;
    const uint32_t otherwise = dataplane::default_descriptors(hardware);
    const auto queue = [&](uint32_t configured) {
      return configured == 0 ? otherwise : configured;
    };
    buffers += workers * (queue(port.rx_descriptors) + queue(port.tx_descriptors));
  }
  return std::clamp<uint32_t>(buffers, 16384, kMostMbufs);
}

void read_sizes(ObjectReader& root, Config& config, std::vector<Problem>& problems) {
  static const Json::Value kNone(Json::objectValue);
  const Json::Value* value = root.object("sizes");
  ObjectReader reader(value == nullptr ? kNone : *value, "sizes", problems);
  const auto number = [&](const char* name, uint32_t least, uint32_t most, uint32_t otherwise) {
    return static_cast<uint32_t>(reader.number(name, least, most).value_or(otherwise));
  };
  dataplane::Sizes& sizes = config.sizes;
  sizes.users = number("users", 1, kMaxTable, sizes.users);
  sizes.peers = number("peers", 1, kMaxTable, std::max(sizes.users, sizes.peers));
  sizes.sessions =
      number("sessions", kSessionsOfPeer, 8 * kMaxTable, kSessionsOfPeer * sizes.peers);
  sizes.prefixes = number("prefixes", 16, 16 * kMaxTable, 4 * sizes.peers + 1024);
  sizes.neighbours =
      static_cast<uint16_t>(number("neighbours", 256, kMaxNeighbours, sizes.neighbours));
  sizes.mbufs = number("mbufs", 4096, kMostMbufs, default_mbufs(config));
  reader.finish();
  const auto window = root.number("replay_window", 1024, 65536);
  sizes.replay_packets = static_cast<uint32_t>(window.value_or(sizes.replay_packets));
}

void read_engine(ObjectReader& root, Config& config) {
  const auto name = root.text("aead_engine");
  if (!name) return;
  std::vector<std::string> known = {"auto"};
  for (const crypto::EngineInfo& engine : crypto::list_engines()) known.push_back(engine.name);
  if (std::ranges::find(known, *name) != known.end()) {
    config.aead_engine = *name;
  } else {
    root.problem("aead_engine", fmt::format("found {}, expected one of \"{}\"", in_quotes(*name),
                                            fmt::join(known, "\", \"")));
  }
}

void read_for_clients(ObjectReader& root, Config& config) {
  if (const auto text = root.text("public_endpoint")) {
    config.public_endpoint = *text;
    if (!is_public_endpoint(*text)) {
      root.problem("public_endpoint", fmt::format("found {}, expected a host and a port such as "
                                                  "\"vpn.example.net:51820\"",
                                                  in_quotes(*text)));
    }
  }
  config.client_dns = root.texts("client_dns");
  for (size_t i = 0; i < config.client_dns.size(); ++i) {
    if (is_host(config.client_dns[i])) continue;
    root.problem(
        fmt::format("client_dns[{}]", i),
        fmt::format("found {}, expected an address or a domain", in_quotes(config.client_dns[i])));
  }
}

void read_isolation(ObjectReader& root, Config& config) {
  config.isolation = root.boolean("isolation").value_or(config.nat44.has_value());
  const std::vector<std::string> names = root.texts("isolation_exceptions");
  if (names.size() > dataplane::kMostOpenGroups) {
    root.problem("isolation_exceptions", fmt::format("found {} groups, expected at most {}",
                                                     names.size(), dataplane::kMostOpenGroups));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const auto group = parse_group(names[i]);
    if (!group) {
      root.problem(fmt::format("isolation_exceptions[{}]", i),
                   fmt::format("found {}, expected the name of a group: {}", in_quotes(names[i]),
                               kGroupName.unit));
      continue;
    }
    config.open_groups.push_back(*group);
  }
}

void read_store(ObjectReader& root, const std::string& directory, Config& config) {
  constexpr std::string_view kNowhere = "none";
  if (const auto file = root.text("store")) {
    if (file->empty()) root.problem("store", "found \"\", expected a file, or \"none\"");
    config.store = *file == kNowhere ? "" : resolved(directory, *file);
  }
  if (const auto seconds = root.number("usage_interval", 1, kMostUsageInterval)) {
    config.usage_interval = static_cast<unsigned>(*seconds);
  }
}

void read_control_socket(ObjectReader& root, Config& config) {
  if (const auto path = root.text("control_socket")) config.control_socket = *path;
  const std::string& path = config.control_socket;
  if (path.empty() || path.front() != '/' || path.size() > kMaxSocketPath) {
    root.problem("control_socket", fmt::format("found {}, expected a path from the root, of at "
                                               "most {} bytes",
                                               in_quotes(path), kMaxSocketPath));
  }
  const auto read_group = [&](const char* name, std::string& group) {
    const auto text = root.text(name);
    if (text && text->empty()) root.problem(name, "is empty, expected the name of a group");
    group = text.value_or("");
  };
  read_group("control_socket_group", config.control_socket_group);
  read_group("control_read_group", config.control_read_group);
}

}  // namespace

void read_settings(ObjectReader& root, const std::string& directory, Config& config,
                   std::vector<Problem>& problems) {
  read_identity(root, directory, config, problems);
  read_listen(root, config, problems);
  read_for_clients(root, config);
  read_ports(root, config, problems);
  read_routes(root, config, problems);
  read_nat44(root, config, problems);
  read_isolation(root, config);
  config.tunnel_addresses = read_ips(root, "tunnel_addresses");
  read_pools(root, config, problems);
  read_workers(root, config, problems);
  read_sizes(root, config, problems);
  read_engine(root, config);
  if (const auto huge = root.choice("huge_pages", {"auto", "required", "never"})) {
    config.huge_pages = static_cast<HugePages>(*huge);
  }
  if (const auto calls = root.choice("system_calls", {"restricted", "all"})) {
    config.restrict_system_calls = *calls == 0;
  }
  read_control_socket(root, config);
  read_store(root, directory, config);
  read_http(root, config, problems);
  read_wg(root, config, problems);
  const std::vector<std::string_view> levels = {"debug", "info", "warning", "error"};
  if (const auto level = root.choice("log_level", levels)) config.log_level = levels[*level];
  if (const auto kept = root.number("events_kept", events::kLeastKept, events::kMostKept)) {
    config.events_kept = *kept;
  }
  if (const auto file = root.text("users_file")) config.users_file = resolved(directory, *file);
}

}  // namespace wirelay::ctrl
