// What the command line asks for, checked: one structure for each concern.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <rte_ether.h>

#include "crypto/keys.h"
#include "dataplane/ip.h"
#include "tools/relaygen/traffic_mix.h"
#include "tools/relaygen/values.h"

namespace wirelay::relaygen {

enum class Command {
  kHelp,
  kVersion,
  kPeers,
  kRun,
  kSearch,
  kLatency,
  kHandshakes,
  kStorm,
  kReceive
};

enum class Mode {
  kUp,    // clients to the plain side
  kDown,  // the plain side to clients
  kHub    // client to client
};
const char* to_string(Mode mode);

enum class Family { k4, k6, kBoth };

/// One of the two ports.
struct PortOptions {
  std::string role;                           // "tunnel" or "plain"
  std::string device;                         // as relayd's; empty: no such port
  std::vector<Interface> addresses;           // ours
  std::optional<rte_ether_addr> mac;          // instead of the device's own
  std::vector<dataplane::IpAddr> gateways;    // towards the far end, one a family
  std::optional<rte_ether_addr> gateway_mac;  // instead of asking by ARP or neighbour discovery
};

struct EalOptions {
  unsigned core = 0;
  enum class HugePages { kAuto, kYes, kNo } huge_pages = HugePages::kAuto;
  bool verbose = false;
  unsigned link_timeout = 10;  // seconds to wait for a link, and for a neighbour's answer
};

struct HandshakeOptions {
  uint32_t window = 64;  // at most so many handshakes unanswered at a time
  double rate = 0;       // initiations a second, at most; 0: as many as the window lets
  double retry = 5;      // seconds until an unanswered initiation is sent anew
  double give_up = 90;   // seconds after a client's first initiation
};

struct TrafficOptions {
  std::vector<Mode> modes;
  std::vector<SizeMix> sizes;
  std::vector<uint32_t> users;  // how many; empty: all
  Family family = Family::k4;
  std::vector<dataplane::IpAddr> targets;  // plain side's end of the flows, one a family
  Spread::Kind spread = Spread::Kind::kRoundRobin;
  double zipf_exponent = 1;
  std::optional<Rate> rate;    // nullopt: as fast as possible
  double duration = 5;         // seconds of sending
  uint64_t packets = 0;        // instead of a duration, when above 0
  uint32_t round = 65536;      // packets made ahead of time
  uint32_t sample = 64;        // of the packets that come back sealed, every so many is decrypted
  double drain = 0.1;          // seconds without a packet that end a round
  bool wait_for_ring = false;  // a packet that the port refuses is offered again, not lost
  double max_loss = 1;         // share of the packets; more makes `run` fail
  uint16_t tunnel_mtu = 1420;  // padding of inner packets ends here
  unsigned idle_sleep = 0;     // microseconds
  uint64_t seed = 1;
};

struct SearchOptions {
  double loss_threshold = 0;  // share of the packets
  double resolution = 0.01;
  uint32_t tries = 1;  // a rate has failed when so many trials in a row have
  std::optional<Rate> max_rate;
  std::vector<double> loads;  // latency: shares of the found rate
};

struct StormOptions {
  enum class Kind {
    kInitiations,   // whole ones, of clients and of keys that the far end does not know
    kSpoofed,       // whose mac1 is right and nothing else, from any address
    kCookieReplies  // to nobody: messages of type 3, which carry no mac1
  } kind = Kind::kInitiations;
  std::optional<double> offer;  // messages a second; nullopt: as fast as possible
  double unknown = 0.5;         // share of the initiations
  uint32_t newcomers = 0;       // users who begin in the midst of it
  uint32_t waiting = 0;         // users who begin when it ends
};

struct PeersOptions {
  uint32_t count = 0;
  std::string out;
  std::vector<dataplane::Prefix> prefixes;
  uint32_t peers_per_user = 1;
  bool preshared = false;
  std::string remote_private_key;  // file; empty: one in the folder, made when there is none
  uint16_t listen_port = 51820;
};

struct Options {
  Command command = Command::kHelp;
  std::string command_name;
  std::string help;  // kHelp: the text
  PeersOptions peers;
  std::string peers_file;
  crypto::PublicKey remote_key{};
  dataplane::Endpoint endpoint;
  std::optional<dataplane::Prefix> client_prefix;
  std::string engine = "auto";
  PortOptions tunnel, plain;
  EalOptions eal;
  HandshakeOptions handshake;
  TrafficOptions traffic;
  SearchOptions search;
  StormOptions storm;
  std::string json;                          // file; empty: none
  std::map<std::string, std::string> given;  // every option with its value, for the report
};

/// Throws UsageError.
Options parse_options(const std::vector<std::string>& arguments);

}  // namespace wirelay::relaygen
