// From a file to a Config, or to everything that is wrong with it.
#include "ctrl/config/config.h"

#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/core.h>
#include <sys/stat.h>

#include "ctrl/base/json.h"
#include "ctrl/config/file_text.h"
#include "ctrl/config/parts.h"
#include "ctrl/users/passage.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl {

namespace {

constexpr size_t kMaxFileBytes = size_t{1} << 30;
constexpr size_t kMaxFileValues = 20'000'000;  // a million users with peers
constexpr size_t kMaxKeyFileBytes = 4096;
constexpr size_t kEventsBetweenLooks = 4096;  // for whether the reading is to end

void end_on(const std::stop_token& stop) {
  if (stop.stop_requested()) throw std::runtime_error("the relay ends");
}

/// What a file says; wiped when it goes, for preshared keys are in it.
class ParsedFile {
 public:
  explicit ParsedFile(Json::Value value) : value_(std::move(value)) {}
  ~ParsedFile() { wipe_texts(value_); }
  ParsedFile(const ParsedFile&) = delete;
  ParsedFile& operator=(const ParsedFile&) = delete;
  [[nodiscard]] const Json::Value& operator*() const noexcept { return value_; }

 private:
  Json::Value value_;
};

ParsedFile parse_file(const std::string& file, const std::stop_token& stop) {
  const FileText text(file, kMaxFileBytes);
  const JsonLimits limits{.bytes = kMaxFileBytes, .comments = true, .values = kMaxFileValues};
  try {
    JsonTree tree;
    read_json_events(text.view(), limits, [&, events = size_t{0}](const JsonEvent& event) mutable {
      if (++events % kEventsBetweenLooks == 0) end_on(stop);
      tree.take(event);
    });
    return ParsedFile(tree.take_value());
  } catch (const JsonError& e) {
    throw Refused(fmt::format("{}:{}:{}", file, e.line, e.column), e.what());
  }
}

/// Findings about one file, its name in front.
void add_problems(const std::string& file, std::vector<Problem> found, std::vector<Problem>& all) {
  for (Problem& problem : found) {
    problem.path = problem.path.empty() ? file : file + ": " + problem.path;
    all.push_back(std::move(problem));
  }
}

/// The steps that enter a file's users; their paths begin with the file's name.
void read_users(const std::string& file, ObjectReader& root, const std::stop_token& stop,
                std::vector<Step>& steps, std::vector<Problem>& problems) {
  const Json::Value* users = root.list("users");
  if (users == nullptr) return;
  const std::string name = file + ": users";
  const Place place(name);
  for (Json::ArrayIndex i = 0; i < users->size() && !enough(problems); ++i) {
    end_on(stop);
    read_user((*users)[i], {place, i}, steps, problems);
  }
}

void read_users_file(const std::string& file, const std::stop_token& stop, std::vector<Step>& steps,
                     std::vector<Problem>& problems) {
  try {
    const ParsedFile json = parse_file(file, stop);
    std::vector<Problem> found;
    ObjectReader root(*json, "", found);
    if (root.require("users", "a list of users, as \"relayctl export\" writes it")) {
      read_users(file, root, stop, steps, problems);
    }
    root.finish();
    add_problems(file, std::move(found), problems);
  } catch (const Refused& refused) {
    problems.insert(problems.end(), refused.problems.begin(), refused.problems.end());
  }
}

/// What a relay that has just started would refuse or warn of.
void check_users(const Config& config, const std::vector<Step>& steps, const std::stop_token& stop,
                 std::vector<Problem>& problems, std::vector<Problem>& warnings) {
  try {
    warnings = check_steps(Registry(registry_limits(config)), Origin::kFile, steps, stop).warnings;
  } catch (const Refused& refused) {
    problems.insert(problems.end(), refused.problems.begin(), refused.problems.end());
  }
}

void take_users(std::vector<Step> steps, Config& config) {
  for (Step& step : steps) {
    if (auto* user = std::get_if<AddUser>(&step.change)) {
      config.users.push_back(std::move(user->spec));
      config.users.back().origin = Origin::kFile;
      config.user_paths.push_back(std::move(step.path));
    } else if (auto* peer = std::get_if<AddPeer>(&step.change)) {
      config.peers.push_back(std::move(peer->spec));
      config.peers.back().origin = Origin::kFile;
      config.peer_paths.push_back(std::move(step.path));
    }
  }
}

constexpr std::string_view kOwnAddress = "the relay's own address";
constexpr std::string_view kNetworkEnd = "a broadcast address of a port's network";

/// The key file's own problems and warnings.
void check_private_key(Config& config, std::vector<Problem>& problems) {
  try {
    read_private_key(config.private_key_file);
  } catch (const Refused& refused) {
    problems.insert(problems.end(), refused.problems.begin(), refused.problems.end());
    return;
  }
  struct stat info {};
  if (stat(config.private_key_file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    config.warnings.push_back(fmt::format(
        "{}: others than its owner can read the private key (mode {:04o}); chmod 600 it",
        config.private_key_file, info.st_mode & 07777));
  }
}

}  // namespace

crypto::Secret read_private_key(const std::string& file) {
  const FileText text(file, kMaxKeyFileBytes);
  std::string_view line = text.view();
  while (!line.empty() && std::strchr(" \t\r\n", line.back()) != nullptr) line.remove_suffix(1);
  auto key = crypto::parse_base64_key(line);
  if (!key) {
    throw Refused(file,
                  "holds no private key: expected one line with 44 characters of base64, "
                  "as \"relayctl genkey\" writes it");
  }
  crypto::Secret secret(*key);
  crypto::wipe(key->data(), key->size());
  return secret;
}

RegistryLimits registry_limits(const Config& config) {
  RegistryLimits limits{config.sizes.users, config.sizes.peers, config.sizes.prefixes};
  limits.ipv4 = limits.ipv6 = false;
  for (const PortConfig& port : config.ports) {
    for (const dataplane::PortAddress& address : port.addresses) {
      (address.addr.is_v4() ? limits.ipv4 : limits.ipv6) = true;
      limits.reserved.push_back(address.network);
      for (const auto& end : ends_of(address.network)) limits.no_peers[end] = kNetworkEnd;
    }
    for (const dataplane::IpAddr& gateway : port.gateways) {
      if (port.egress) limits.routed.push_back(gateway.is_v4() ? kDefault4 : kDefault6);
    }
  }
  for (const PortConfig& port : config.ports) {
    for (const auto& address : port.addresses) limits.no_peers[address.addr] = kOwnAddress;
  }
  for (const dataplane::IpAddr& address : config.tunnel_addresses) {
    limits.reserved.push_back({address, 128});
    limits.no_peers[address] = kOwnAddress;
  }
  if (config.nat44) {
    for (const dataplane::Prefix& pool : config.nat44->public_prefixes()) {
      limits.reserved.push_back(pool);
    }
  }
  for (const RouteConfig& route : config.routes) limits.routed.push_back(route.prefix);
  limits.pools = config.address_pools;
  return limits;
}

Config load_config(const std::string& file, const std::stop_token& stop) {
  const ParsedFile json = parse_file(file, stop);
  Config config;
  std::vector<Problem> settings, users;
  std::vector<Step> steps;
  ObjectReader root(*json, "", settings);
  read_settings(root, std::filesystem::path(file).parent_path(), config, settings);
  if (config.users_file) read_users_file(*config.users_file, stop, steps, users);
  read_users(file, root, stop, steps, users);
  root.finish();
  // A check that rests on something misread would only add to the confusion.
  const bool readable = settings.empty();
  if (readable) check_settings(config, settings);
  std::vector<Problem> problems, warnings;
  if (readable && users.empty()) check_users(config, steps, stop, users, warnings);

  add_problems(file, std::move(settings), problems);
  add_problems(file, warnings_of(config), warnings);
  for (const Problem& found : warnings) {
    config.warnings.push_back(found.path + ": " + found.message);
  }
  if (!config.private_key_file.empty()) check_private_key(config, problems);
  problems.insert(problems.end(), users.begin(), users.end());
  if (!problems.empty()) throw Refused(std::move(problems));
  take_users(std::move(steps), config);
  return config;
}

}  // namespace wirelay::ctrl
