// The loop that sends rounds and receives what they become.
#include "tools/relaygen/trial_runner.h"

#include <algorithm>
#include <cstdio>

#include "tools/relaygen/clock.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/frame.h"
#include "tools/relaygen/interrupt.h"
#include "tools/relaygen/report.h"

namespace wirelay::relaygen {

namespace {

constexpr double kLongestRound = 1;       // seconds, for rounds that are paced
constexpr uint64_t kLongestBurst = 1024;  // packets that are caught up at once: rings hold them
constexpr double kStuck = 5;              // seconds that a port may take nothing at all
constexpr unsigned kWarmUps = 20;
constexpr uint32_t kWarmUpPackets = 64;
constexpr double kWarmUpRate = 10'000;  // packets a second

/// How many packets the trial has still to send; with neither a count nor a rate as many as go into
/// a round, until the time is up.
uint64_t packets_left(const TrialPlan& plan, const TrialResult& result) {
  if (interrupted()) return 0;
  if (plan.packets != 0) return plan.packets - std::min(plan.packets, result.sent);
  if (plan.rate) {
    const auto all = static_cast<uint64_t>(*plan.rate * plan.seconds + 0.5);
    return std::max<uint64_t>(all, 1) - std::min(std::max<uint64_t>(all, 1), result.sent);
  }
  return result.send_seconds < plan.seconds ? UINT64_MAX : 0;
}

}  // namespace

TrialRunner::TrialRunner(Rig& rig, const Options& options)
    : rig_(rig),
      options_(options.traffic),
      outer_v4_(options.endpoint.addr.is_v4()),
      random_(options.traffic.seed) {}

void TrialRunner::warm_up(const TrialPlan& plan) {
  TrialPlan few = plan;
  few.packets = kWarmUpPackets;
  few.rate = std::min(kWarmUpRate, plan.rate.value_or(kWarmUpRate));
  bool any = false;
  for (unsigned i = 0; i < kWarmUps; ++i) {
    const TrialResult result = run(few);
    any = any || result.unique() > 0;
    if (result.lost() == 0) return;
  }
  if (!any) {
    throw Failure(std::string("mode ") + to_string(plan.mode) +
                      ": sessions stand, but nothing comes out of the far end",
                  kNoAnswer);
  }
}

TrialResult TrialRunner::run(const TrialPlan& plan) {
  TrialResult result;
  result.plan = plan;
  rig_.clients().use(plan.peers);
  rig_.receiver().take_counts();
  rig_.receiver().latency() = Histogram{};
  const uint64_t missed_before = missed();
  Spread spread(options_.spread, plan.peers, options_.zipf_exponent);
  uint64_t inner_bytes = 0, made = 0;
  for (uint64_t left; (left = packets_left(plan, result)) > 0;) {
    left = std::min<uint64_t>(left, options_.round);
    if (plan.rate) {
      const auto most = static_cast<uint64_t>(*plan.rate * kLongestRound);
      left = std::min(left, std::max<uint64_t>(most, 1));
    }
    run_round(plan, static_cast<uint32_t>(left), spread, result);
    inner_bytes += round_.inner_bytes;
    made += left;
  }
  rig_.progress().clear();
  result.counts = rig_.receiver().take_counts();
  result.latency = rig_.receiver().latency();
  result.missed_by_generator = missed() - missed_before;
  result.inner_bytes_mean =
      static_cast<double>(inner_bytes) / static_cast<double>(std::max<uint64_t>(made, 1));
  for (const SizeMix::Part& part : plan.sizes.parts()) {
    result.tunnel_wire_mean +=
        part.share * wire_bytes(tunnel_frame_bytes(part.bytes, options_.tunnel_mtu, outer_v4_));
    result.plain_wire_mean += part.share * wire_bytes(kEthernetBytes + part.bytes);
  }
  return result;
}

void TrialRunner::run_round(const TrialPlan& plan, uint32_t count, Spread& spread,
                            TrialResult& result) {
  show_progress(plan, result);
  rig_.keep_sessions(plan.peers);
  std::optional<Pace> pace;
  if (plan.rate) pace.emplace(*plan.rate, rte_get_tsc_hz());
  rig_.maker().make(round_, count, plan.mode, plan.sizes, spread, random_, pace);
  at_ = 0;
  const uint64_t refused_before = result.refused;
  ++result.rounds;
  result.sent += count;
  const uint64_t start = cycles_now();
  // Latency is taken from the schedule, which lag that is forgiven moves.
  rig_.receiver().expect(round_, plan.mode, start, pace.has_value() && !plan.forgive_lag);
  send(plan, pace, start, result);
  const uint64_t schedule = pace ? pace->offset(at_) : 0;
  result.send_seconds += to_seconds(std::max(cycles_now() - start, schedule));
  drain(at_ - (result.refused - refused_before), result);
  const uint64_t last = rig_.receiver().last_arrival();
  result.receive_seconds += to_seconds(std::max(last > start ? last - start : 0, schedule));
}

void TrialRunner::send(const TrialPlan& plan, const std::optional<Pace>& pace, uint64_t start,
                       TrialResult& result) {
  Port& port = plan.mode == Mode::kDown ? *rig_.plain() : rig_.tunnel();
  const size_t count = round_.frames.size();
  // To the end of the last packet's interval, where the next round's first one is due.
  const auto under_way = [&] {
    return at_ < count || (pace && cycles_now() - start < pace->offset(count));
  };
  uint64_t last_sent = start;
  while (under_way() && !interrupted()) {
    const size_t due = pace ? count_due(plan, *pace, start, result) : count;
    const uint64_t began = cycles_now();
    const bool sent = send_some(port, due, plan.wait_for_ring, result);
    const unsigned seen = rig_.receiver().poll();
    spend(rig_.let_storm() || sent || seen > 0, began, result);
    if (sent || due <= at_) last_sent = began;
    if (to_seconds(began - last_sent) > kStuck) break;
  }
  if (at_ == count) return;
  abandon_round(result);
  if (!interrupted()) {
    throw Failure(port.name() + " has taken no packet for " + fixed(kStuck, 0) +
                      " s: is the far end gone, or its MTU exceeded?",
                  kNoAnswer);
  };
}

void TrialRunner::abandon_round(TrialResult& result) {
  const auto left = static_cast<unsigned>(round_.frames.size() - at_);
  rte_pktmbuf_free_bulk(&round_.frames[at_], left);
  result.sent -= left;
}

size_t TrialRunner::count_due(const TrialPlan& plan, const Pace& pace, uint64_t& start,
                              TrialResult& result) {
  const uint64_t elapsed = cycles_now() - start;
  uint64_t due = std::min<uint64_t>(pace.due(elapsed), round_.frames.size());
  if (at_ < due) {
    result.greatest_lag =
        std::max(result.greatest_lag, to_seconds(elapsed - std::min(elapsed, pace.offset(at_))));
    if (plan.forgive_lag && due - at_ > kLongestBurst) {
      start += pace.offset(due - at_ - kLongestBurst);
      due = at_ + kLongestBurst;
    }
  }
  return due;
}

bool TrialRunner::send_some(Port& port, size_t due, bool wait, TrialResult& result) {
  const auto count = static_cast<uint16_t>(std::min<size_t>(kBurst, due - std::min(due, at_)));
  if (count == 0) return false;
  uint16_t taken = port.send(&round_.frames[at_], count);
  if (taken < count && !wait) {  // a wire does not wait either
    rte_pktmbuf_free_bulk(&round_.frames[at_ + taken], count - taken);
    result.refused += count - taken;
    taken = count;
  }
  at_ += taken;
  return taken > 0;
}

void TrialRunner::drain(uint64_t expected, TrialResult& result) {
  Receiver& receiver = rig_.receiver();
  uint64_t quiet_since = cycles_now();
  while (receiver.arrived() < expected && to_seconds(cycles_now() - quiet_since) < options_.drain) {
    const uint64_t began = cycles_now();
    const bool any = receiver.poll() > 0;
    if (any) quiet_since = began;
    spend(rig_.let_storm() || any, began, result);
  }
}

void TrialRunner::spend(bool worked, uint64_t began, TrialResult& result) {
  if (worked) {
    result.busy_seconds += to_seconds(cycles_now() - began);
  } else if (options_.idle_sleep != 0) {
    rte_delay_us_sleep(options_.idle_sleep);
  }
}

void TrialRunner::show_progress(const TrialPlan& plan, const TrialResult& result) {
  if (!rig_.progress().is_due()) return;
  char text[160];
  std::snprintf(text, sizeof text, "%s, %u users, %s bytes, %.3f Mpps offered: %llu packets sent",
                to_string(plan.mode), plan.users, plan.sizes.name().c_str(),
                plan.rate.value_or(0) / 1e6, static_cast<unsigned long long>(result.sent));
  rig_.progress().show(text);
}

uint64_t TrialRunner::missed() {
  return rig_.tunnel().missed() + (rig_.plain() != nullptr ? rig_.plain()->missed() : 0);
}

}  // namespace wirelay::relaygen
