// How much of the relay is in use, and how long packets are in it: from what workers count, read
// once a second and kept for some, so that whoever asks is told of the last seconds and nothing is
// summed up for it. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "dataplane/counters.h"

namespace wirelay::ctrl {

/// Of one worker, over the last seconds. Shares are from 0 to 1.
struct WorkerLoad {
  double busy = 0;               // the share of its time in which it had work
  double full_bursts = 0;        // the share of its takings from receive queues that were full
  std::optional<double> queued;  // packets in a receive queue when looked at; none: not known
};

/// How long packets were in the relay, in nanoseconds.
struct TimeQuantiles {
  double p50 = 0, p99 = 0;
};

class LoadMeter {
 public:
  static constexpr size_t kSeconds = 5;  // what is told is of so many

  /// `workers` outlive it.
  explicit LoadMeter(std::vector<const dataplane::WorkerCounters*> workers)
      : workers_(std::move(workers)), loads_(workers_.size()) {}

  /// Call once a second or so.
  void tick(uint64_t tsc);

  /// False in the first second.
  [[nodiscard]] bool known() const noexcept { return kept_.size() > 1; }
  [[nodiscard]] const std::vector<WorkerLoad>& workers() const noexcept { return loads_; }
  /// The share of its time that the busiest worker had work in. What is left of it is how much more
  /// the relay can carry.
  [[nodiscard]] double busiest() const noexcept;
  /// Nothing: no packet was timed.
  [[nodiscard]] const std::optional<TimeQuantiles>& times() const noexcept { return times_; }

 private:
  using Times = std::array<uint64_t, dataplane::TimeHistogram::kBuckets>;
  struct WorkerSums {
    uint64_t busy, bursts, full_bursts, looks, queued;
  };
  struct Moment {
    uint64_t tsc = 0;
    std::vector<WorkerSums> workers;
    Times times{};
  };
  static double quantile(const Times& times, uint64_t count, double part);
  [[nodiscard]] Moment read(uint64_t tsc) const;
  void compare(const Moment& from, const Moment& to);

  const std::vector<const dataplane::WorkerCounters*> workers_;
  std::deque<Moment> kept_;  // kSeconds + 1 at most, the oldest first
  std::vector<WorkerLoad> loads_;
  std::optional<TimeQuantiles> times_;
};

}  // namespace wirelay::ctrl
