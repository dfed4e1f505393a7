// `relaygen search`, and `relaygen latency`, which begins with a search.
#include <algorithm>
#include <optional>

#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/job.h"
#include "tools/relaygen/rate_search.h"

namespace wirelay::relaygen {

namespace {

constexpr double kNoHiccup = 0.1;  // share of packets: who loses more has not just been interrupted
constexpr uint64_t kEnoughLatencies = 1000;  // of which p99.9 leaves one out
constexpr double kFloodSeconds = 1;          // at full speed, to guess where the search begins

/// Corruption is told at any rate.
void tell_corruption(Job& job, const TrialResult& result) {
  if (result.counts.corrupt() == 0) return;
  job.exit_code = kBadTraffic;
  for (std::string& line : remarks(result)) job.remark(std::move(line));
}

/// The first trial of the plan that passed, of as many as are allowed for; empty when none did.
std::optional<TrialResult> passing_trial(Job& job, const TrialPlan& plan, Json::Value& trials) {
  const SearchOptions& options = job.options.search;
  for (uint32_t i = 0; i < options.tries; ++i) {
    const TrialResult result = job.runner.run(plan);
    stop_if_interrupted();
    trials.append(to_json(result));
    tell_corruption(job, result);
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
  tell_corruption(job, flood);
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

/// The rate that is 100 %, in packets a second: as given, or what came out at the highest rate
/// without loss (the generator may have offered less than it was to). 0 when there is none.
double full_rate(Job& job, const TrialPlan& plan, Json::Value& entry) {
  if (job.options.traffic.rate) return job.options.traffic.rate->packets(plan.sizes.mean());
  const auto best = search(job, plan, entry["search"]);
  if (best) return best->received_rate();
  job.exit_code = kBadTraffic;
  job.remark(describe(plan) + "no rate without loss was found; --rate gives one");
  return 0;
}

void measure_loads(Job& job, TrialPlan plan, double full, Json::Value& entry) {
  for (const double load : job.options.search.loads) {
    plan.rate = full * load;
    const TrialResult result = job.runner.run(plan);
    Json::Value& trial = entry["trials"].append(to_json(result));
    trial["load"] = load;
    add_latency(job.table, result, load);
    tell_corruption(job, result);
    if (result.latency.total() < kEnoughLatencies) {
      job.remark(describe(plan) + fixed(load * 100, 0) + " %: latencies of " +
                 std::to_string(result.latency.total()) +
                 " packets only; a smaller --sample or a longer --duration takes more");
    }
    stop_if_interrupted();
  }
}

}  // namespace

void search_matrix(Job& job) {
  job.table = trial_table();
  job.for_each_plan([&](const TrialPlan& plan) {
    Json::Value& entry = job.report["results"].append(Json::objectValue);
    if (const auto best = search(job, plan, entry["trials"])) {
      entry["best"] = to_json(*best);
      add_trial(job.table, *best);
      for (std::string& line : remarks(*best)) job.remark(std::move(line));
    } else {
      job.exit_code = kBadTraffic;
      job.remark(describe(plan) +
                 "packets were lost, or came out corrupt, at every rate that was tried");
    }
  });
}

void measure_latency(Job& job) {
  job.table = Table({"mode", "users", "size", "load", "offered pps", "loss", "p50 us", "p90 us",
                     "p99 us", "p99.9 us", "max us", "late sends us"});
  job.for_each_plan([&](const TrialPlan& plan) {
    Json::Value& entry = job.report["results"].append(Json::objectValue);
    const double full = full_rate(job, plan, entry);
    entry["full_pps"] = full;
    if (full > 0) measure_loads(job, plan, full, entry);
  });
}

}  // namespace wirelay::relaygen
