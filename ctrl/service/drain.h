// The end of a relay that lets its clients go first: no new sessions, and an end with the last one.
#pragma once

#include <cstdint>
#include <optional>

#include "ctrl/base/now.h"

namespace wirelay::ctrl {

/// Sessions live three minutes: what is longer only helps who has set its clock wrong.
inline constexpr uint64_t kMostDrainSeconds = 86'400;

struct DrainStatus {
  uint64_t connected = 0;     // peers that still have a session
  uint64_t seconds_left = 0;  // until it ends all the same
};

/// Control thread.
class Drain {
 public:
  /// From now on; said again, the time begins anew.
  void begin(uint64_t now_ns, uint64_t seconds) noexcept {
    begin_ns_ = now_ns;
    end_ns_ = now_ns + seconds * kNsPerSecond;
  }
  [[nodiscard]] bool under_way() const noexcept { return end_ns_.has_value(); }
  /// Nobody is left, or the time is over; not within a second, in which whoever asked is answered.
  [[nodiscard]] bool over(uint64_t now_ns, uint64_t connected) const noexcept {
    return end_ns_ && now_ns >= begin_ns_ + kNsPerSecond && (connected == 0 || now_ns >= *end_ns_);
  }
  [[nodiscard]] std::optional<DrainStatus> status(uint64_t now_ns,
                                                  uint64_t connected) const noexcept {
    if (!end_ns_) return std::nullopt;
    const uint64_t left = *end_ns_ > now_ns ? *end_ns_ - now_ns : 0;
    return DrainStatus{connected, (left + kNsPerSecond - 1) / kNsPerSecond};
  }

 private:
  uint64_t begin_ns_ = 0;  // monotonic, as the other
  std::optional<uint64_t> end_ns_;
};

}  // namespace wirelay::ctrl
