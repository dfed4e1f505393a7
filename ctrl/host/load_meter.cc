// Differences between the first and the last moment that is kept.
#include "ctrl/host/load_meter.h"

#include <algorithm>
#include <numeric>

namespace wirelay::ctrl {

namespace {

double share_of(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

void LoadMeter::tick(uint64_t tsc) {
  if (!kept_.empty() && tsc <= kept_.back().tsc) return;
  kept_.push_back(read(tsc));
  if (kept_.size() > kSeconds + 1) kept_.pop_front();
  if (known()) compare(kept_.front(), kept_.back());
}

LoadMeter::Moment LoadMeter::read(uint64_t tsc) const {
  Moment now;
  now.tsc = tsc;
  for (const dataplane::WorkerCounters* worker : workers_) {
    for (size_t i = 0; i < now.times.size(); ++i) now.times[i] += worker->time.packets[i].get();
    now.workers.push_back({worker->busy_cycles.get(), worker->bursts.get(),
                           worker->full_bursts.get(), worker->queue_looks.get(),
                           worker->queued.get()});
  }
  return now;
}

void LoadMeter::compare(const Moment& from, const Moment& to) {
  for (size_t i = 0; i < workers_.size(); ++i) {
    const WorkerSums &a = from.workers[i], &b = to.workers[i];
    loads_[i] = {share_of(b.busy - a.busy, to.tsc - from.tsc),
                 share_of(b.full_bursts - a.full_bursts, b.bursts - a.bursts), std::nullopt};
    if (const uint64_t looks = b.looks - a.looks; looks != 0) {
      loads_[i].queued = static_cast<double>(b.queued - a.queued) / static_cast<double>(looks);
    }
  }
  Times times;
  for (size_t i = 0; i < times.size(); ++i) times[i] = to.times[i] - from.times[i];
  const uint64_t count = std::accumulate(times.begin(), times.end(), uint64_t{0});
  times_.reset();
  if (count != 0) times_ = {quantile(times, count, 0.5), quantile(times, count, 0.99)};
}

/// Within a bucket as if its packets were spread evenly.
double LoadMeter::quantile(const Times& times, uint64_t count, double part) {
  double left = part * static_cast<double>(count);
  uint64_t from = 0;
  for (size_t i = 0; i < times.size(); ++i) {
    const auto here = static_cast<double>(times[i]);
    const uint64_t to = dataplane::TimeHistogram::bound_ns(i);
    if (here >= left && here > 0) {
      return static_cast<double>(from) + static_cast<double>(to - from) * left / here;
    }
    left -= here;
    from = to;
  }
  return static_cast<double>(from);
}

double LoadMeter::busiest() const noexcept {
  double most = 0;
  for (const WorkerLoad& worker : loads_) most = std::max(most, worker.busy);
  return most;
}

}  // namespace wirelay::ctrl
