// A trial: rounds of traffic at one rate, for a while, and what became of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/relaygen/histogram.h"
#include "tools/relaygen/options.h"
#include "tools/relaygen/receiver.h"
#include "tools/relaygen/round.h"

namespace wirelay::relaygen {

struct TrialPlan {
  Mode mode = Mode::kUp;
  SizeMix sizes;
  uint32_t users = 0, peers = 0;  // the first ones of the peers file
  std::optional<double> rate;     // packets a second; nullopt: as fast as possible
  double seconds = 5;
  uint64_t packets = 0;        // instead of seconds, when above 0
  bool wait_for_ring = false;  // offer again what the port refuses, instead of losing it
  bool forgive_lag = false;  // time in which the generator was held up is not caught up by a burst
};

struct TrialResult {
  TrialPlan plan;
  uint64_t sent = 0;     // test packets, those that the port refused among them
  uint64_t refused = 0;  // by a full port: counted as lost
  uint64_t rounds = 0;
  Counts counts;
  uint64_t missed_by_generator = 0;  // came back, and found no room at our own port
  double send_seconds = 0;           // from the first packet of each round to its last one
  double receive_seconds = 0;        // from the first packet sent to the last one received
  double busy_seconds = 0;           // of these, in which the generator sent or received
  double greatest_lag = 0;           // seconds that a packet left later than it was due
  double inner_bytes_mean = 0;       // of the packets that were sent
  double tunnel_wire_mean = 0, plain_wire_mean = 0;  // bytes a packet takes on either wire
  Histogram latency;                                 // nanoseconds; empty when not paced

  /// Packets that came out, each one once.
  [[nodiscard]] uint64_t unique() const noexcept { return counts.received - counts.duplicates; }
  [[nodiscard]] uint64_t lost() const noexcept { return sent > unique() ? sent - unique() : 0; }
  [[nodiscard]] double loss() const noexcept {
    return sent == 0 ? 0 : static_cast<double>(lost()) / static_cast<double>(sent);
  }
  /// Packets a second.
  [[nodiscard]] double sent_rate() const noexcept { return per(sent, send_seconds); }
  [[nodiscard]] double received_rate() const noexcept { return per(unique(), receive_seconds); }

  /// Share of its time that the generator worked: near 1 it may be the limit itself.
  [[nodiscard]] double busy() const noexcept {
    return receive_seconds > 0 ? std::min(busy_seconds / receive_seconds, 1.0) : 0;
  }

  static double per(uint64_t packets, double seconds) noexcept {
    return seconds > 0 ? static_cast<double>(packets) / seconds : 0;
  }
};

}  // namespace wirelay::relaygen
