// `relaygen run`: a trial for each combination.
#include "tools/relaygen/job.h"

namespace wirelay::relaygen {

void run_trials(Job& job) {
  const TrafficOptions& traffic = job.options.traffic;
  job.table = trial_table();
  job.for_each_plan([&](TrialPlan plan) {
    if (traffic.rate) plan.rate = traffic.rate->packets(plan.sizes.mean());
    plan.wait_for_ring = traffic.wait_for_ring;
    const TrialResult result = job.runner.run(plan);
    job.report["trials"].append(to_json(result));
    add_trial(job.table, result);
    for (std::string& line : remarks(result)) job.remark(std::move(line));
    if (result.counts.corrupt() > 0 || result.loss() > traffic.max_loss) {
      job.exit_code = kBadTraffic;
    }
  });
}

}  // namespace wirelay::relaygen
