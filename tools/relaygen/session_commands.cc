// `relaygen handshakes` and `relaygen receive`: sessions without traffic of our own.
#include <utility>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/job.h"

namespace wirelay::relaygen {

namespace {

constexpr double kKeepEvery = 1;  // seconds between looks at the sessions' ages

/// Receives for the duration that was asked for; returns how long it took, in seconds.
double receive(Job& job, uint32_t peers) {
  job.rig.receiver().take_counts();
  const double began = seconds_now();
  double kept = began;
  const double end = began + job.options.traffic.duration;
  for (double now = began; now < end && !interrupted(); now = seconds_now()) {
    if (now - kept > kKeepEvery) {
      job.rig.keep_sessions(peers);
      kept = now;
    }
    const unsigned nap = job.options.traffic.idle_sleep;
    if (job.rig.receiver().poll() == 0 && nap != 0) rte_delay_us_sleep(nap);
  }
  return seconds_now() - began;
}

}  // namespace

void measure_handshakes(Job& job) {
  job.table = Table({"users", "peers", "seconds", "handshakes/s", "p50 ms", "p99 ms", "max ms",
                     "initiations", "repeated", "cookies"});
  bool first = true;
  for (const uint32_t users : job.user_counts()) {
    if (!std::exchange(first, false)) job.rest(crypto::kRekeyTimeout);
    const HandshakeResult result = job.rig.bring_up_anew(job.peers_of(users));
    job.report["handshakes"].append(to_json(result, job.options.handshake.window));
    const auto ms = [](uint64_t ns) { return fixed(static_cast<double>(ns) / 1e6, 2); };
    job.table.add({std::to_string(users), std::to_string(result.wanted), fixed(result.seconds, 3),
                   fixed(TrialResult::per(result.done, result.seconds), 0),
                   ms(result.latency.percentile(0.5)), ms(result.latency.percentile(0.99)),
                   ms(result.latency.greatest()), std::to_string(result.initiations),
                   std::to_string(result.repeated), std::to_string(result.cookies)});
  }
}

void receive_foreign(Job& job) {
  job.table = Table({"users", "seconds", "packets", "pps", "inner IP Gbit/s", "tunnel wire Gbit/s",
                     "verified", "bad tags"});
  for (const uint32_t users : job.user_counts()) {
    job.bring_up(users);
    const double seconds = receive(job, job.peers_of(users));
    const Counts counts = job.rig.receiver().take_counts();
    job.report["received"].append(to_json(counts, users, seconds));
    const auto gbit = [seconds](uint64_t bytes) {
      return fixed(static_cast<double>(bytes) * 8e-9 / seconds, 3);
    };
    job.table.add({std::to_string(users), fixed(seconds, 1), std::to_string(counts.foreign),
                   fixed(TrialResult::per(counts.foreign, seconds), 0),
                   gbit(counts.foreign_inner_bytes), gbit(counts.foreign_wire_bytes),
                   std::to_string(counts.verified), std::to_string(counts.bad_tag)});
    if (counts.bad_tag > 0) job.exit_code = kBadTraffic;
    stop_if_interrupted();
  }
}

}  // namespace wirelay::relaygen
