// How long the turns of a thread's event loop take. A turn is what the loop does from the moment at
// which it has found something to do until it looks for the next: meanwhile nothing else of the
// thread is served.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "ctrl/base/counter_field.h"

namespace wirelay::ctrl {

/// Lengths in CPU time say what the thread's work takes, those by the clock also how long it waited
/// for its processor.
struct TurnCounters {
  uint64_t turns = 0;
  uint64_t longest_us = 0, longest_cpu_us = 0;
  uint64_t over_1_ms = 0, over_2_ms = 0, over_5_ms = 0, over_20_ms = 0;  // in CPU time
};
inline constexpr std::array kTurnCounters = {
    CounterField{"turns", "turns of the control thread", &TurnCounters::turns},
    CounterField{"longest_us", "microseconds that the longest turn took by the clock",
                 &TurnCounters::longest_us, CounterKind::kGauge},
    CounterField{"longest_cpu_us", "microseconds of CPU time that the longest turn took",
                 &TurnCounters::longest_cpu_us, CounterKind::kGauge},
    CounterField{"over_1_ms", "turns that took more than 1 ms of CPU time",
                 &TurnCounters::over_1_ms},
    CounterField{"over_2_ms", "of these, such that took more than 2 ms", &TurnCounters::over_2_ms},
    CounterField{"over_5_ms", "of these, such that took more than 5 ms", &TurnCounters::over_5_ms},
    CounterField{"over_20_ms", "of these, such that took more than 20 ms",
                 &TurnCounters::over_20_ms},
};
static_assert(complete(kTurnCounters));

struct TurnStatus : TurnCounters {
  const char* longest_part = "";  // what took most of the longest turn in CPU time
};

struct TurnLength {
  std::chrono::nanoseconds wall{}, cpu{};
  const char* most = "";  // the part that took most of it by the clock
};

/// The loop's thread only. Costs a turn one system call, for the CPU clock.
class TurnMeter {
 public:
  /// The thread whose turns these are begins to make some.
  void start();
  /// The loop has found something to do; once more within a turn changes nothing.
  void begin();
  /// What the thread did since begin(), or the last mark, was `part` of the turn: a literal.
  void mark(const char* part);
  /// The loop looks for more to do. Without a begin() nothing.
  void end();

  [[nodiscard]] const TurnStatus& status() const noexcept { return status_; }
  /// The longest in CPU time since this was asked last.
  TurnLength take_longest();

 private:
  using Clock = std::chrono::steady_clock;

  void count(const TurnLength& turn);

  bool within_ = false;
  Clock::time_point began_, marked_;
  std::chrono::nanoseconds most_{};  // of the turn at hand: its longest part so far
  const char* most_part_ = "";
  std::chrono::nanoseconds cpu_before_{};  // of the thread, when the last turn ended
  TurnLength recent_;
  TurnStatus status_;
};

}  // namespace wirelay::ctrl
