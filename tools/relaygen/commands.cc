// What the commands do, step by step.
#include "tools/relaygen/commands.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iostream>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/machine.h"
#include "tools/relaygen/rate_search.h"
#include "tools/relaygen/report.h"
#include "tools/relaygen/rig.h"
#include "tools/relaygen/trial_runner.h"

namespace wirelay::relaygen {

namespace {

constexpr double kFirstTrialSeconds = 1;  // at full speed, to guess where the search begins

const char* name_of(Command command) {
  switch (command) {
    case Command::kRun:
      return "run";
    case Command::kSearch:
      return "search";
    case Command::kLatency:
      return "latency";
    default:
      return "handshakes";
  }
}

std::string utc_now() {
  char text[32];
  const time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

std::vector<Identity> read_identities(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Failure("cannot read the peers file " + path);
  return read_peers(in);
}

/// One command under way: the rig, the matrix, and what has been found so far.
class Job {
 public:
  explicit Job(const Options& options)
      : options_(options),
        identities_(needed_identities(options)),
        rig_(options, identities_),
        runner_(rig_, options) {
    report_["command"] = name_of(options.command);
    report_["time"] = utc_now();
    report_["machine"] = describe_machine(rig_);
    for (const auto& [name, value] : options.given) report_["parameters"][name] = value;
  }

  int run() {
    switch (options_.command) {
      case Command::kRun:
        run_trials();
        break;
      case Command::kSearch:
        search_matrix();
        break;
      case Command::kLatency:
        measure_latency();
        break;
      default:
        measure_handshakes();
        break;
    }
    if (!options_.json.empty()) write_json(options_.json, report_);
    return exit_code_;
  }

 private:
  static std::vector<Identity> needed_identities(const Options& options) {
    std::vector<Identity> all = read_identities(options.peers_file);
    const auto& users = options.traffic.users;
    if (users.empty()) return all;
    const uint32_t most = *std::ranges::max_element(users);
    if (most > count_users(all)) {
      throw UsageError("--users: " + std::to_string(most) + " are wanted, the peers file holds " +
                       std::to_string(count_users(all)));
    }
    all.resize(peers_of_first_users(all, most));
    return all;
  }

  std::vector<uint32_t> user_counts() const {
    return options_.traffic.users.empty() ? std::vector{count_users(identities_)}
                                          : options_.traffic.users;
  }

  uint32_t peers_of(uint32_t users) const {
    return static_cast<uint32_t>(peers_of_first_users(identities_, users));
  }

  void bring_up(uint32_t users) {
    const HandshakeResult result = rig_.bring_up(peers_of(users), false);
    if (result.wanted > 0) {
      report_["bring_up"].append(to_json(result, options_.handshake.window));
    }
  }

  /// Calls `take` with every combination of users, mode and size; the far end is warm by then.
  template <typename Take>
  void for_each_plan(Take take) {
    for (const uint32_t users : user_counts()) {
      bring_up(users);
      for (const Mode mode : options_.traffic.modes) {
        for (const SizeMix& sizes : options_.traffic.sizes) {
          TrialPlan plan;
          plan.mode = mode;
          plan.sizes = sizes;
          plan.users = users;
          plan.peers = peers_of(users);
          plan.seconds = options_.traffic.duration;
          plan.packets = options_.traffic.packets;
          runner_.warm_up(plan);
          take(plan);
        }
      }
    }
  }

  void run_trials() {
    Table table = trial_table();
    std::vector<std::string> notes;
    for_each_plan([&](TrialPlan plan) {
      if (options_.traffic.rate) plan.rate = options_.traffic.rate->packets(plan.sizes.mean());
      plan.wait_for_ring = options_.traffic.wait_for_ring;
      const TrialResult result = runner_.run(plan);
      report_["trials"].append(to_json(result));
      add_trial(table, result);
      for (std::string& line : remarks(result)) notes.push_back(std::move(line));
      if (result.counts.corrupt() > 0 || result.loss() > options_.traffic.max_loss) {
        exit_code_ = kBadTraffic;
      }
    });
    show(table, notes);
  }

  void show(const Table& table, const std::vector<std::string>& notes) const {
    std::ostream& out = options_.json == "-" ? std::cerr : std::cout;
    table.print(out);
    for (const std::string& line : notes) out << line << '\n';
  }

  /// The highest rate without loss, beside all trials in `trials`.
  std::optional<TrialResult> search(const TrialPlan& base, Json::Value& trials) {
    TrialPlan plan = base;
    plan.wait_for_ring = true;
    plan.seconds = std::min(plan.seconds, kFirstTrialSeconds);
    const TrialResult flood = runner_.run(plan);
    trials.append(to_json(flood));
    plan.wait_for_ring = false;
    plan.seconds = base.seconds;
    const double guess = std::max(flood.received_rate(), 1.0);
    const double ceiling = options_.search.max_rate
                               ? options_.search.max_rate->packets(plan.sizes.mean())
                               : flood.sent_rate() * 2;
    RateSearch search(guess, ceiling, options_.search.resolution);
    std::optional<TrialResult> best;
    while (const auto rate = search.next_rate()) {
      plan.rate = rate;
      const TrialResult result = runner_.run(plan);
      trials.append(to_json(result));
      if (result.loss() <= options_.search.loss_threshold && result.counts.corrupt() == 0) {
        search.passed();
        best = result;
      } else {
        search.failed();
      }
    }
    return best;
  }

  void search_matrix() {
    Table table = trial_table();
    std::vector<std::string> notes;
    for_each_plan([&](const TrialPlan& plan) {
      Json::Value entry;
      const auto best = search(plan, entry["trials"]);
      if (best) {
        entry["best"] = to_json(*best);
        add_trial(table, *best);
      } else {
        exit_code_ = kBadTraffic;
        notes.push_back(std::string(to_string(plan.mode)) + ", size " + plan.sizes.name() + ", " +
                        std::to_string(plan.users) + " users: lost packets at every rate tried");
      }
      report_["results"].append(entry);
    });
    show(table, notes);
  }

  void measure_latency() {
    Table table({"mode", "users", "size", "load", "offered pps", "loss", "p50 us", "p90 us",
                 "p99 us", "p99.9 us", "max us", "late sends us"});
    for_each_plan([&](TrialPlan plan) {
      Json::Value entry;
      if (options_.traffic.rate) {
        plan.rate = options_.traffic.rate->packets(plan.sizes.mean());
      } else if (const auto best = search(plan, entry["search"])) {
        plan.rate = best->plan.rate;
      } else {
        throw Failure("no rate without loss was found: give one with --rate", kBadTraffic);
      }
      const double full = *plan.rate;
      entry["full_pps"] = full;
      for (const double load : options_.search.loads) {
        plan.rate = full * load;
        const TrialResult result = runner_.run(plan);
        Json::Value trial = to_json(result);
        trial["load"] = load;
        entry["trials"].append(trial);
        add_latency(table, result, load);
      }
      report_["results"].append(entry);
    });
    show(table, {});
  }

  static void add_latency(Table& table, const TrialResult& result, double load) {
    const auto us = [](double ns) { return fixed(ns / 1000, 1); };
    const auto at = [&](double share) {
      return us(static_cast<double>(result.latency.percentile(share)));
    };
    table.add({to_string(result.plan.mode), std::to_string(result.plan.users),
               result.plan.sizes.name(), fixed(load * 100, 0) + " %", fixed(*result.plan.rate, 0),
               fixed(result.loss() * 100, 3) + " %", at(0.5), at(0.9), at(0.99), at(0.999),
               us(static_cast<double>(result.latency.greatest())), us(result.greatest_lag * 1e9)});
  }

  void measure_handshakes() {
    Table table({"users", "peers", "seconds", "handshakes/s", "p50 ms", "p99 ms", "max ms",
                 "initiations", "repeated", "cookies"});
    for (const uint32_t users : user_counts()) {
      const HandshakeResult result = rig_.bring_up(peers_of(users), true);
      report_["handshakes"].append(to_json(result, options_.handshake.window));
      const auto ms = [](uint64_t ns) { return fixed(static_cast<double>(ns) / 1e6, 2); };
      table.add({std::to_string(users), std::to_string(result.wanted), fixed(result.seconds, 3),
                 fixed(TrialResult::per(result.done, result.seconds), 0),
                 ms(result.latency.percentile(0.5)), ms(result.latency.percentile(0.99)),
                 ms(result.latency.greatest()), std::to_string(result.initiations),
                 std::to_string(result.repeated), std::to_string(result.cookies)});
    }
    show(table, {});
  }

  const Options& options_;
  const std::vector<Identity> identities_;
  Rig rig_;
  TrialRunner runner_;
  Json::Value report_;
  int exit_code_ = kDone;
};

}  // namespace

int run_on_rig(const Options& options) { return Job(options).run(); }

}  // namespace wirelay::relaygen
