// One command under way: the rig, the matrix of what is to be tried, and what has been found.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <json/value.h>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/peers_file.h"
#include "tools/relaygen/report.h"
#include "tools/relaygen/rig.h"
#include "tools/relaygen/trial_runner.h"

namespace wirelay::relaygen {

class Job {
 public:
  /// Starts the rig. `options` must outlive the job. Throws Failure.
  explicit Job(const Options& options);

  /// Numbers of users to try: those of --users, or all that there are.
  [[nodiscard]] std::vector<uint32_t> user_counts() const;
  /// Peers of the first `users` users.
  [[nodiscard]] uint32_t peers_of(uint32_t users) const;
  void bring_up(uint32_t users);

  /// Lets some seconds pass, with an eye on the ports.
  void rest(double seconds);

  /// Calls `take` with every combination of users, mode and size, with the trial's duration but
  /// without a rate; the far end knows its neighbours by then.
  void for_each_plan(const std::function<void(TrialPlan)>& take);

  /// Prints the table, if it has rows, and behind it a line for each remark that was made; writes
  /// the JSON that was asked for. Throws Failure.
  void finish() const;
  void remark(std::string line) { remarks_.push_back(std::move(line)); }

  const Options& options;
  const std::vector<Identity> identities;
  Rig rig;
  TrialRunner runner;
  Table table;         // what people see in the end
  Json::Value report;  // what --json will hold
  ExitCode exit_code = kDone;

 private:
  std::vector<std::string> remarks_;
};

// The commands; each adds to the report and the table as it goes, so that what has been found
// stands there when a later step fails.
void run_trials(Job& job);
void search_matrix(Job& job);
void measure_latency(Job& job);
void measure_handshakes(Job& job);
void raise_storm(Job& job);
void receive_foreign(Job& job);

}  // namespace wirelay::relaygen
