// How much a worker hands to the control thread: of each kind little enough in each part of a
// second that the thread gets to the others, and less from or for any one party, so that none uses
// up what all may.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace wirelay::dataplane {

/// Of one kind of punt. Owned by one worker.
class PuntAllowance {
 public:
  static constexpr uint64_t kPeriodsPerSecond = 100;

  /// `most` punts in each period, `most_for_one` of them for one party.
  PuntAllowance(uint64_t tsc_hz, uint8_t most_for_one, uint16_t most) noexcept
      : period_(tsc_hz / kPeriodsPerSecond), most_(most), most_for_one_(most_for_one) {}

  /// True when a packet may be handed up; then it is taken into account. `party`: any number that
  /// tells apart who sent it, or who it is for. Two of them at one place of the table share its
  /// allowance.
  bool take(uint64_t now, uint64_t party) noexcept {
    if (now - begin_ >= period_) {
      begin_ = now;
      taken_ = 0;
      taken_for_.fill(0);
    }
    uint8_t& taken_for = taken_for_[party * kSpread >> (64 - kPlaceBits)];
    if (taken_ == most_ || taken_for == most_for_one_) return false;
    ++taken_;
    ++taken_for;
    return true;
  }

 private:
  static constexpr unsigned kPlaceBits = 8;
  static constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio

  const uint64_t period_;  // in TSC
  const uint16_t most_;
  const uint8_t most_for_one_;
  uint16_t taken_ = 0;  // within the present period
  uint64_t begin_ = 0;  // of it, TSC
  std::array<uint8_t, size_t{1} << kPlaceBits> taken_for_{};
};

/// Of all kinds.
struct PuntAllowances {
  explicit PuntAllowances(uint64_t tsc_hz) noexcept
      : initiations(tsc_hz, 64, 256),
        known_initiations(tsc_hz, 4, 64),
        responses(tsc_hz, 4, 64),
        cookie_replies(tsc_hz, 4, 64),
        discovery(tsc_hz, 16, 64),
        without_session(tsc_hz, 128, 256),
        without_neighbour(tsc_hz, 64, 128),
        without_block(tsc_hz, 16, 128),
        path_reports(tsc_hz, 4, 16),
        errors(tsc_hz, 4, 16),
        tunnel_errors(tsc_hz, 4, 16),
        echoes(tsc_hz, 64, 512),
        moves(tsc_hz, 1, 64) {}

  PuntAllowance initiations;        // by source address, IPv6: /64
  PuntAllowance known_initiations;  // from known sources, by these; beyond it, as all others
  PuntAllowance responses;          // by receiver index
  PuntAllowance cookie_replies;     // by receiver index
  PuntAllowance discovery;          // ARP and neighbour discovery, by sender's MAC
  PuntAllowance without_session;    // packets that wait, by peer number: as many as may wait for it
  PuntAllowance without_neighbour;  // packets that wait, by adjacency, or address without one
  PuntAllowance without_block;      // packets that wait for one of NAT's, by user
  PuntAllowance path_reports;       // by who reports
  PuntAllowance errors;             // ICMP errors that it answers with itself, by their receiver
  PuntAllowance tunnel_errors;      // those that go to peers
  PuntAllowance echoes;             // answers to pings, by who pings
  PuntAllowance moves;              // reports of them, by session
};

}  // namespace wirelay::dataplane
