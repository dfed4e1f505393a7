// `relaygen storm`: traffic of clients that are connected while a storm rages, others who connect
// in the midst of it, and others who do when it ends.
#include <memory>
#include <numeric>
#include <vector>

#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/job.h"

namespace wirelay::relaygen {

namespace {

/// Seconds in which the far end takes what still stands in the port's ring, before the port goes.
constexpr double kSettling = 1;

using ClientNumbers = std::vector<uint32_t>;

/// Who plays which part, in the order of the peers file.
struct Cast {
  uint32_t users = 0;  // connected, with traffic
  ClientNumbers newcomers, waiting, senders;
};

Cast cast_of(const Job& job) {
  const StormOptions& storm = job.options.storm;
  const TrafficOptions& traffic = job.options.traffic;
  if (traffic.users.size() > 1 || traffic.modes.size() > 1 || traffic.sizes.size() > 1) {
    throw UsageError("--users, --mode, --size: a storm takes one of each, no list");
  }
  Cast cast;
  cast.users = job.user_counts().front();
  uint64_t users = cast.users;
  uint32_t first = job.peers_of(cast.users);
  const auto next = [&](uint64_t more) {
    users += more;
    if (users > count_users(job.identities)) {
      throw UsageError("--users, --newcomers and --waiting: " + std::to_string(users) +
                       " users are wanted, the peers file holds " +
                       std::to_string(count_users(job.identities)));
    }
    ClientNumbers clients(job.peers_of(static_cast<uint32_t>(users)) - first);
    std::iota(clients.begin(), clients.end(), first);
    first += static_cast<uint32_t>(clients.size());
    return clients;
  };
  next(0);
  cast.newcomers = next(storm.newcomers);
  cast.waiting = next(storm.waiting);
  cast.senders = next(count_users(job.identities) - users);
  return cast;
}

TrialPlan plan_of(const Job& job, uint32_t users) {
  const TrafficOptions& traffic = job.options.traffic;
  TrialPlan plan;
  plan.mode = traffic.modes.front();
  plan.sizes = traffic.sizes.front();
  plan.users = users;
  plan.peers = job.peers_of(users);
  plan.seconds = traffic.duration;
  if (traffic.rate) plan.rate = traffic.rate->packets(plan.sizes.mean());
  // The storm fills the port's ring; what finds it full has not reached the far end yet.
  plan.wait_for_ring = true;
  return plan;
}

HandshakeResult connect(Job& job, const ClientNumbers& clients, bool ahead) {
  return job.rig.handshaker().bring_up(
      clients, ahead, [&job] { return job.rig.poll(); }, job.rig.progress());
}

void tell(Job& job, const StormResult& storm, const TrialResult& live,
          const HandshakeResult& newcomers, const HandshakeResult& waiting) {
  const uint32_t window = job.options.handshake.window;
  Json::Value& report = job.report["storm"];
  report = to_json(storm);
  report["live"] = to_json(live);
  report["newcomers"] = to_json(newcomers, window);
  report["waiting"] = to_json(waiting, window);
  const auto up = [](const HandshakeResult& result) {
    return std::to_string(result.done) + " of " + std::to_string(result.wanted) + " in " +
           fixed(result.seconds, 2) + " s";
  };
  job.table = Table({"storm", "sent/s", "live sent", "live lost", "newcomers up", "their cookies",
                     "waiting up", "their cookies"});
  job.table.add({job.options.given.at("kind"),
                 fixed(TrialResult::per(storm.sent, storm.seconds), 0), std::to_string(live.sent),
                 std::to_string(live.lost()), up(newcomers), std::to_string(newcomers.cookies),
                 up(waiting), std::to_string(waiting.cookies)});
  for (std::string& line : remarks(live)) job.remark(std::move(line));
}

}  // namespace

void raise_storm(Job& job) {
  const Cast cast = cast_of(job);
  const TrialPlan plan = plan_of(job, cast.users);
  const std::unique_ptr<Storm> storm = job.rig.make_storm(job.options, cast.senders);
  job.rig.handshaker().prepare_ahead(cast.waiting, job.rig.progress());
  job.bring_up(cast.users);
  job.runner.warm_up(plan);
  stop_if_interrupted();

  storm->begin();
  job.rig.set_storm(storm.get());
  const TrialResult live = job.runner.run(plan);
  const HandshakeResult newcomers = connect(job, cast.newcomers, false);
  const StormResult result = storm->result();
  job.rig.set_storm(nullptr);
  const HandshakeResult waiting = connect(job, cast.waiting, true);

  tell(job, result, live, newcomers, waiting);
  job.rest(kSettling);
  if (live.counts.corrupt() > 0 || live.loss() > job.options.traffic.max_loss) {
    job.exit_code = kBadTraffic;
  }
}

}  // namespace wirelay::relaygen
