// `relaygen search`, and `relaygen latency`, which begins with a search.
#include <algorithm>
#include <optional>

#include "tools/relaygen/job.h"
#include "tools/relaygen/rate_search.h"

namespace wirelay::relaygen {

namespace {

constexpr double kNoHiccup = 0.1;  // share of packets: who loses more has not just been interrupted
constexpr double kFloodSeconds = 1;  // at full speed, to guess where the search begins

/// The first trial of the plan that passed, of as many as are allowed for; empty when none did.
std::optional<TrialResult> passing_trial(Job& job, const TrialPlan& plan, Json::Value& trials) {
  const SearchOptions& options = job.options.search;
  for (uint32_t i = 0; i < options.tries; ++i) {
    const TrialResult result = job.runner.run(plan);
    trials.append(to_json(result));
    if (result.loss() <= options.loss_threshold && result.counts.corrupt() == 0) return result;
    if (result.loss() > kNoHiccup) break;
  }
  return std::nullopt;
}

/// The trial with the highest rate without loss; adds all trials to `trials`.
std::optional<TrialResult> search(Job& job, const TrialPlan& base, Json::Value& trials) {
  const SearchOptions& options = job.options.search;
  TrialPlan plan = base;
  plan.wait_for_ring = true;
  plan.seconds = std::min(base.seconds, kFloodSeconds);
  const TrialResult flood = job.runner.run(plan);
  trials.append(to_json(flood));
  plan.wait_for_ring = false;
  plan.forgive_lag = true;
  plan.seconds = base.seconds;
  const double ceiling =
      options.max_rate ? options.max_rate->packets(plan.sizes.mean()) : flood.sent_rate() * 2;
  RateSearch search(std::max(flood.received_rate(), 1.0), ceiling, options.resolution);
  std::optional<TrialResult> best;
  while (const auto rate = search.next_rate()) {
    plan.rate = rate;
    if (const auto passed = passing_trial(job, plan, trials)) {
      search.passed();
      // A rate that the generator could not offer in full is no higher one.
      if (!best || passed->received_rate() > best->received_rate()) best = passed;
    } else {
      search.failed();
    }
  }
  return best;
}

void add_latency(Table& table, const TrialResult& result, double load) {
  const auto us = [](double ns) { return fixed(ns / 1000, 1); };
  const auto at = [&](double share) {
    return us(static_cast<double>(result.latency.percentile(share)));
  };
  table.add({to_string(result.plan.mode), std::to_string(result.plan.users),
             result.plan.sizes.name(), fixed(load * 100, 0) + " %", fixed(*result.plan.rate, 0),
             fixed(result.loss() * 100, 3) + " %", at(0.5), at(0.9), at(0.99), at(0.999),
             us(static_cast<double>(result.latency.greatest())), us(result.greatest_lag * 1e9)});
}

/// The rate that is 100 %: as given, or searched for.
double full_rate(Job& job, const TrialPlan& plan, Json::Value& entry) {
  if (job.options.traffic.rate) return job.options.traffic.rate->packets(plan.sizes.mean());
  const auto best = search(job, plan, entry["search"]);
  if (!best) throw Failure("no rate without loss was found: give one with --rate", kBadTraffic);
  return *best->plan.rate;
}

}  // namespace

void search_matrix(Job& job) {
  Table table = trial_table();
  job.for_each_plan([&](const TrialPlan& plan) {
    Json::Value entry;
    if (const auto best = search(job, plan, entry["trials"])) {
      entry["best"] = to_json(*best);
      add_trial(table, *best);
      for (std::string& line : remarks(*best)) job.remark(std::move(line));
    } else {
      job.exit_code = kBadTraffic;
      job.remark(describe(plan) + "lost packets at every rate that was tried");
    }
    job.report["results"].append(entry);
  });
  job.show(table);
}

void measure_latency(Job& job) {
  Table table({"mode", "users", "size", "load", "offered pps", "loss", "p50 us", "p90 us", "p99 us",
               "p99.9 us", "max us", "late sends us"});
  job.for_each_plan([&](TrialPlan plan) {
    Json::Value entry;
    const double full = full_rate(job, plan, entry);
    entry["full_pps"] = full;
    for (const double load : job.options.search.loads) {
      plan.rate = full * load;
      const TrialResult result = job.runner.run(plan);
      Json::Value trial = to_json(result);
      trial["load"] = load;
      entry["trials"].append(trial);
      add_latency(table, result, load);
    }
    job.report["results"].append(entry);
  });
  job.show(table);
}

}  // namespace wirelay::relaygen
