// Choosing the command.
#include "tools/relaygen/commands.h"

#include "tools/relaygen/job.h"

namespace wirelay::relaygen {

int run_on_rig(const Options& options) {
  Job job(options);
  switch (options.command) {
    case Command::kRun:
      run_trials(job);
      break;
    case Command::kSearch:
      search_matrix(job);
      break;
    case Command::kLatency:
      measure_latency(job);
      break;
    case Command::kReceive:
      receive_foreign(job);
      break;
    default:
      measure_handshakes(job);
      break;
  }
  if (!options.json.empty()) write_json(options.json, job.report);
  return job.exit_code;
}

}  // namespace wirelay::relaygen
