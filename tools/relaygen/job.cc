// What all commands share.
#include "tools/relaygen/job.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iostream>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/machine.h"

namespace wirelay::relaygen {

namespace {

std::string utc_now() {
  char text[32];
  const time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

/// The peers file's identities, as far as the largest number of users reaches.
std::vector<Identity> needed_identities(const Options& options) {
  std::ifstream in(options.peers_file);
  if (!in) throw Failure("cannot read the peers file " + options.peers_file);
  std::vector<Identity> all;
  try {
    all = read_peers(in);
  } catch (const Failure& failure) {
    throw Failure("peers file " + options.peers_file + ": " + failure.what());
  }
  const auto& users = options.traffic.users;
  // A storm comes from all the others.
  if (users.empty() || options.command == Command::kStorm) return all;
  const uint32_t most = *std::ranges::max_element(users);
  if (most > count_users(all)) {
    throw UsageError("--users: " + std::to_string(most) + " are wanted, the peers file holds " +
                     std::to_string(count_users(all)));
  }
  all.resize(peers_of_first_users(all, most));
  return all;
}

}  // namespace

Job::Job(const Options& given)
    : options(given),
      identities(needed_identities(given)),
      rig(given, identities),
      runner(rig, given) {
  report["command"] = options.command_name;
  report["time"] = utc_now();
  report["machine"] = describe_machine(rig);
  for (const auto& [name, value] : options.given) report["parameters"][name] = value;
}

std::vector<uint32_t> Job::user_counts() const {
  if (options.traffic.users.empty()) return {count_users(identities)};
  return options.traffic.users;
}

uint32_t Job::peers_of(uint32_t users) const {
  return static_cast<uint32_t>(peers_of_first_users(identities, users));
}

void Job::bring_up(uint32_t users) {
  const HandshakeResult result = rig.bring_up(peers_of(users));
  if (result.wanted > 0) {
    report["bring_up"].append(to_json(result, options.handshake.window));
  }
}

void Job::rest(double seconds) {
  for (const double end = seconds_now() + seconds; seconds_now() < end;) {
    stop_if_interrupted();
    if (rig.receiver().poll() == 0) rte_delay_us_sleep(1000);
  }
}

void Job::for_each_plan(const std::function<void(TrialPlan)>& take) {
  for (const uint32_t users : user_counts()) {
    bring_up(users);
    for (const Mode mode : options.traffic.modes) {
      for (const SizeMix& sizes : options.traffic.sizes) {
        TrialPlan plan;
        plan.mode = mode;
        plan.sizes = sizes;
        plan.users = users;
        plan.peers = peers_of(users);
        plan.seconds = options.traffic.duration;
        plan.packets = options.traffic.packets;
        runner.warm_up(plan);
        stop_if_interrupted();
        take(plan);
        stop_if_interrupted();
      }
    }
  }
}

void Job::finish() const {
  std::ostream& out = options.json == "-" ? std::cerr : std::cout;
  table.print(out);
  for (const std::string& line : remarks_) out << line << '\n';
  out.flush();
  if (!options.json.empty()) write_json(options.json, report);
}

}  // namespace wirelay::relaygen
