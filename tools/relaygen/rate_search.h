// The binary search of RFC 2544, section 26.1, for the highest rate that a device carries.
#pragma once

#include <algorithm>
#include <limits>
#include <optional>

namespace wirelay::relaygen {

/// Ask next_rate(), offer it, tell the outcome; until next_rate() is empty. A rate that passed and
/// one that failed enclose the answer ever more narrowly. Pure arithmetic: no clock, no device.
class RateSearch {
 public:
  /// `guess`: the rate to try first, above 0. `ceiling`: no rate above it is tried. `resolution`:
  /// the search ends when the enclosing rates differ by at most this share of the lower one.
  RateSearch(double guess, double ceiling, double resolution) noexcept
      : ceiling_(ceiling),
        resolution_(resolution),
        hopeless_(std::min(guess, ceiling) * kHopeless),
        next_(std::min(guess, ceiling)) {}

  /// The rate to offer next; empty when the search has ended.
  [[nodiscard]] std::optional<double> next_rate() const noexcept {
    return ended_ ? std::nullopt : std::optional(next_);
  }

  void passed() noexcept {
    best_ = next_;
    choose();
  }

  void failed() noexcept {
    worst_ = next_;
    choose();
  }

  /// The highest rate that passed; 0 when none did.
  [[nodiscard]] double best() const noexcept { return best_; }

 private:
  static constexpr double kStep = 1.25;      // upwards, while nothing has failed
  static constexpr double kHopeless = 1e-3;  // of the guess: no rate below is tried

  void choose() noexcept {
    if (worst_ == kNone) {
      ended_ = best_ >= ceiling_;
      next_ = std::min(best_ * kStep, ceiling_);
    } else if (best_ == 0) {  // halving, so that a wrong guess costs few trials
      next_ = worst_ / 2;
      ended_ = next_ < hopeless_;
    } else {
      next_ = (best_ + worst_) / 2;
      ended_ = worst_ - best_ <= resolution_ * best_;
    }
  }

  static constexpr double kNone = std::numeric_limits<double>::infinity();

  double ceiling_, resolution_, hopeless_, next_;
  double best_ = 0;
  double worst_ = kNone;  // the lowest rate that failed
  bool ended_ = false;
};

}  // namespace wirelay::relaygen
