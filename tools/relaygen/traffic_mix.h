// What is offered: packet sizes, and which client each packet belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/relaygen/random.h"

namespace wirelay::relaygen {

/// Inner packet sizes in bytes (IP header included), each with its share of the packets.
class SizeMix {
 public:
  struct Part {
    uint16_t bytes;
    double share;  // of all packets; the shares sum up to 1
  };

  /// "64"; "imix" (64, 576 and 1,420 bytes as 7 : 4 : 1); or "SIZE:WEIGHT+SIZE:WEIGHT...".
  /// Throws UsageError, also for sizes outside kMinSize to kMaxSize.
  static SizeMix parse(std::string_view text);

  static constexpr unsigned kMinSize = 64, kMaxSize = 9000;

  [[nodiscard]] uint16_t draw(Random& random) const noexcept;
  [[nodiscard]] double mean() const noexcept;
  [[nodiscard]] uint16_t largest() const noexcept;
  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }  // as it was given

 private:
  std::string name_;
  std::vector<Part> parts_;
};

/// How packets spread over `count` clients.
class Spread {
 public:
  enum class Kind { kRoundRobin, kUniform, kZipf };

  /// `exponent`: of Zipf's law, client k gets a share proportional to 1 / (k + 1)^exponent.
  Spread(Kind kind, uint32_t count, double exponent);

  /// "round-robin", "uniform" or "zipf"; throws UsageError.
  static Kind parse(std::string_view text);

  [[nodiscard]] uint32_t draw(Random& random) noexcept;

 private:
  Kind kind_;
  uint32_t count_, next_ = 0;
  std::vector<double> cumulative_;  // kZipf: up to and with client k, the last one 1
};

}  // namespace wirelay::relaygen
