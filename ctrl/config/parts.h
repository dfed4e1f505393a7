// The parts of load_config(): reading field by field, then checking fields against each other.
// Internal to config*.cc. Paths are those within the file; config.cc puts its name in front.
#pragma once

#include <string>
#include <vector>

#include <json/value.h>

#include "ctrl/base/json_reader.h"
#include "ctrl/config/config.h"

namespace wirelay::ctrl {

inline constexpr size_t kMaxWorkers = 64;
inline constexpr uint32_t kMaxTable = 1'000'000;  // users, peers
inline constexpr size_t kMaxUdpPorts = 8;
inline constexpr uint32_t kMostMbufs = 4'000'000;
inline constexpr uint32_t kMaxNeighbours = 65'000;  // numbers have 16 bits
/// A peer has so many at most, when both sides make one at the same time: ctrl/protocol/sessions.h.
inline constexpr uint32_t kSessionsOfPeer = 4;

inline const dataplane::Prefix kDefault4 = *dataplane::parse_prefix("0.0.0.0/0");
inline const dataplane::Prefix kDefault6 = *dataplane::parse_prefix("::/0");
inline const dataplane::Prefix kLoopback4 = *dataplane::parse_prefix("127.0.0.0/8");
inline const dataplane::Prefix kLoopback6 = *dataplane::parse_prefix("::1/128");

/// All but users and peers, defaults filled in. `directory`: what relative names of files start at.
void read_settings(ObjectReader& root, const std::string& directory, Config& config,
                   std::vector<Problem>& problems);
/// The "address_pools" list.
void read_pools(ObjectReader& root, Config& config, std::vector<Problem>& problems);
/// The "http" section.
void read_http(ObjectReader& root, Config& config, std::vector<Problem>& problems);
/// The "wg" section.
void read_wg(ObjectReader& root, Config& config, std::vector<Problem>& problems);
/// The "ports" list.
void read_ports(ObjectReader& root, Config& config, std::vector<Problem>& problems);

/// The "nat44" object, behind the ports.
void read_nat44(ObjectReader& root, Config& config, std::vector<Problem>& problems);
/// What of it leads inside by rule; `nat`: the object, whose addresses `settings` has.
void read_nat44_rules(ObjectReader& nat, std::vector<Problem>& problems,
                      dataplane::NatSettings& settings);

/// The lowest and the highest address of an IPv4 network of more than two, which are no host's.
std::vector<dataplane::IpAddr> ends_of(const dataplane::Prefix& network);

/// What only shows when fields are held against each other; for settings that read without a
/// problem.
void check_settings(const Config& config, std::vector<Problem>& problems);
void check_ports(const Config& config, std::vector<Problem>& problems);
void check_nat44(const Config& config, std::vector<Problem>& problems);
void check_nat44_rules(const Config& config, std::vector<Problem>& problems);
/// What is no reason to refuse; for settings without a problem.
std::vector<Problem> warnings_of(const Config& config);

}  // namespace wirelay::ctrl
