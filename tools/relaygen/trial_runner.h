// Runs trials on a rig.
#pragma once

#include <optional>

#include "tools/relaygen/rig.h"
#include "tools/relaygen/trial.h"

namespace wirelay::relaygen {

class TrialRunner {
 public:
  TrialRunner(Rig& rig, const Options& options);

  /// Lets both ends find their neighbours, with a few packets that count nowhere. Throws Failure
  /// (kNoAnswer) when nothing at all comes out.
  void warm_up(const TrialPlan& plan);

  TrialResult run(const TrialPlan& plan);

 private:
  void run_round(const TrialPlan& plan, uint32_t count, Spread& spread, TrialResult& result);
  void send(const TrialPlan& plan, const std::optional<Pace>& pace, uint64_t start,
            TrialResult& result);
  /// How many of the round's packets should have left by now; `start` (cycles) moves on by lag that
  /// is forgiven.
  size_t count_due(const TrialPlan& plan, const Pace& pace, uint64_t& start, TrialResult& result);
  bool send_some(Port& port, size_t due, bool wait, TrialResult& result);
  /// Frees what of the round has not been sent; it is as if it had not been made.
  void abandon_round(TrialResult& result);
  /// Receives until `expected` packets of the round have come, or none for a while.
  void drain(uint64_t expected, TrialResult& result);
  /// Counts the time since `began` (cycles) when there was work, else sleeps if that was asked for.
  void spend(bool worked, uint64_t began, TrialResult& result);
  void show_progress(const TrialPlan& plan, const TrialResult& result);
  [[nodiscard]] uint64_t missed();

  Rig& rig_;
  const TrafficOptions& options_;
  const bool outer_v4_;
  Random random_;
  Round round_;
  size_t at_ = 0;  // the next frame of the round to send
};

}  // namespace wirelay::relaygen
