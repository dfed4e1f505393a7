// Clocks at the begin, the marks and the end of each turn.
#include "ctrl/host/turn_meter.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace wirelay::ctrl {

namespace {

using std::chrono::nanoseconds;

nanoseconds cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

uint64_t microseconds(nanoseconds time) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

}  // namespace

void TurnMeter::start() {
  within_ = false;
  cpu_before_ = cpu_time();
}

void TurnMeter::begin() {
  if (within_) return;
  within_ = true;
  began_ = marked_ = Clock::now();
  most_ = {};
  most_part_ = "";
}

void TurnMeter::mark(const char* part) {
  const auto now = Clock::now();
  if (now - marked_ >= most_) {
    most_ = now - marked_;
    most_part_ = part;
  }
  marked_ = now;
}

void TurnMeter::end() {
  if (!within_) return;
  within_ = false;
  // From the end of the turn before: between the two the thread slept, or looked for more to do.
  // What the kernel did in its name then is none of the turn's.
  const nanoseconds cpu = cpu_time(), wall = Clock::now() - began_;
  count({wall, std::min(cpu - std::exchange(cpu_before_, cpu), wall), most_part_});
}

void TurnMeter::count(const TurnLength& turn) {
  using std::chrono::milliseconds;
  ++status_.turns;
  status_.longest_us = std::max(status_.longest_us, microseconds(turn.wall));
  if (turn.cpu > recent_.cpu) recent_ = turn;
  if (microseconds(turn.cpu) > status_.longest_cpu_us) {
    status_.longest_cpu_us = microseconds(turn.cpu);
    status_.longest_part = turn.most;
  }
  if (turn.cpu > milliseconds(1)) ++status_.over_1_ms;
  if (turn.cpu > milliseconds(2)) ++status_.over_2_ms;
  if (turn.cpu > milliseconds(5)) ++status_.over_5_ms;
  if (turn.cpu > milliseconds(20)) ++status_.over_20_ms;
}

TurnLength TurnMeter::take_longest() { return std::exchange(recent_, {}); }

}  // namespace wirelay::ctrl
