// The configuration file: read, checked as a whole, and only then believed. The format stands in
// conf/relayd.schema.json and docs/configuration.md.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ctrl/base/problem.h"
#include "ctrl/events/log.h"
#include "ctrl/users/model.h"
#include "ctrl/users/registry.h"
#include "dataplane/dataplane.h"
#include "dataplane/ip.h"
#include "dataplane/worker.h"

namespace wirelay::ctrl {

inline constexpr uint16_t kLeastMtu = 576, kLargestMtu = 9216;

struct PortConfig {
  std::string name;    // for messages and statistics; unique
  std::string device;  // a PCI address, or a DPDK virtual device: "net_af_packet0,iface=eth1"
  std::vector<dataplane::PortAddress> addresses;
  std::vector<dataplane::IpAddr> gateways;  // at most one of each family, within a network of ours
  std::optional<uint16_t> mtu;              // none: as the interface has it (ctrl/host/interface.h)
  bool tunnel = true, plain = true;         // its role: what may come in by it
  uint16_t rx_descriptors = 0, tx_descriptors = 0;  // of each queue; 0: what suits the device
  bool egress = false;  // decrypted traffic without a better route goes to this port's gateways
};

struct RouteConfig {
  dataplane::Prefix prefix;
  std::string port;
  dataplane::IpAddr via;
};

/// Users go out by `port` with public addresses (docs/nat.md).
struct Nat44Config {
  std::string port;
  dataplane::NatSettings settings;
  std::optional<dataplane::Endpoint> collector;  // gets a record of each block by IPFIX
  uint32_t domain = 1;                           // as which the collector knows this relay
  /// All that the relay translates: the pools, and addresses that are one inside.
  [[nodiscard]] std::vector<dataplane::Prefix> public_prefixes() const;
  bool operator==(const Nat44Config&) const = default;
};

struct HttpConfig {
  /// None: no HTTP.
  std::optional<dataplane::Endpoint> listen = dataplane::parse_endpoint("127.0.0.1:9586");
  /// Users with series of their own in /metrics: names, or beginnings of names with "*" behind.
  std::vector<std::string> series_for;
  size_t series_limit = 1000;  // users and peers that have series, at most
};

struct WgConfig {
  std::string interface;  // what `wg` calls the relay; "": it does not see it
  std::string user;       // whose peers with unknown keys are
};

enum class HugePages : uint8_t { kAuto, kRequired, kNever };

struct Config {
  std::string private_key_file;
  std::vector<uint16_t> udp_ports = {51820};        // what the relay begins goes out by the first
  std::vector<dataplane::IpAddr> listen_addresses;  // empty: every port address
  std::optional<std::string> public_endpoint;       // host:port that client files name
  std::vector<PortConfig> ports;
  std::vector<RouteConfig> routes;                  // for decrypted traffic, beside the gateways
  bool isolation = false;                           // users don't reach each other's peers
  std::vector<uint64_t> open_groups;                // but those of one of these (base/group_name.h)
  std::optional<Nat44Config> nat44;                 // none: addresses are not translated
  std::vector<dataplane::IpAddr> tunnel_addresses;  // ours inside the tunnel
  std::vector<PoolConfig> address_pools;            // for peers that name no allowed IPs
  std::vector<std::string> client_dns;              // for client files
  unsigned control_core = 0;
  std::optional<unsigned> handshake_threads;  // none: as many as there are cores for
  std::vector<unsigned> worker_cores;         // one worker each; a core may be named twice
  dataplane::Polling polling = dataplane::Polling::kAdaptive;
  dataplane::Sizes sizes;
  HugePages huge_pages = HugePages::kAuto;
  bool restrict_system_calls = true;  // once it serves
  std::string aead_engine = "auto";
  std::string control_socket = "/run/wirelay/relayd.sock";
  std::string control_socket_group;  // may do all; "": the process's own
  std::string control_read_group;    // may look, by a socket beside the other; "": there is none
  HttpConfig http;
  WgConfig wg;
  std::string log_level = "info";
  std::string store = "/var/lib/wirelay/relay.db";  // where users and usage last; "": nowhere
  unsigned usage_interval = 10;                     // seconds between writes of usage to it
  std::optional<std::string> users_file;            // as `relayctl export` writes it
  std::vector<UserSpec> users;                      // from the file itself and from users_file
  size_t events_kept = events::kDefaultKept;        // for those who ask for them
  std::vector<PeerSpec> peers;
  std::vector<std::string> user_paths, peer_paths;  // where each stands, for messages
  std::vector<std::string> warnings;                // what is allowed and probably not meant
};

/// Reads and checks the file and those that it names: the users file and the private key. Throws
/// Refused with every problem found; each path begins with the file's name: "relayd.json:
/// ports[1]".
/// Ends early, with std::runtime_error, when `stop` is requested.
Config load_config(const std::string& file, const std::stop_token& stop = {});

/// The key in `file`, one line of base64. Throws Refused.
crypto::Secret read_private_key(const std::string& file);

/// What the registry of a relay with this configuration enforces.
RegistryLimits registry_limits(const Config& config);

/// Whether all of it is the same that cannot change while the relay runs.
bool same_at_start(std::optional<Nat44Config> a, std::optional<Nat44Config> b);

/// The parts of `next` that differ from `running` and need a restart, by name; users, peers,
/// limits and what only the control side reads never do. What is in other files is not compared.
std::vector<std::string> needs_restart(const Config& running, const Config& next);

}  // namespace wirelay::ctrl
