// Choosing the command.
#include "tools/relaygen/commands.h"

#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/job.h"

namespace wirelay::relaygen {

namespace {

void carry_out(Job& job) {
  switch (job.options.command) {
    case Command::kRun:
      return run_trials(job);
    case Command::kSearch:
      return search_matrix(job);
    case Command::kLatency:
      return measure_latency(job);
    case Command::kStorm:
      return raise_storm(job);
    case Command::kReceive:
      return receive_foreign(job);
    default:
      return measure_handshakes(job);
  }
}

}  // namespace

int run_on_rig(const Options& options) {
  catch_interrupts();
  if (!options.json.empty()) check_json(options.json);
  Job job(options);
  try {
    carry_out(job);
  } catch (const Failure& failure) {
    job.report["failure"] = failure.what();
    job.finish();
    throw;
  }
  job.finish();
  return job.exit_code;
}

}  // namespace wirelay::relaygen
