// Whether a relay can serve, and what of it cannot.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ctrl/http/facts.h"

namespace wirelay::ctrl::http {

/// Ports without a link, gateways that do not answer, a store that takes no changes; new sessions,
/// once the relay drains.
std::vector<std::string> missing_of(const Facts& facts);

/// {"ready": ..., "missing": [...]}, with a newline at its end.
std::string ready_text(const std::vector<std::string>& missing);

/// Sees workers turn: each time around its loop a worker counts.
class TurningWorkers {
 public:
  explicit TurningWorkers(api::Workers workers);
  /// Those that have not counted since then.
  [[nodiscard]] std::vector<std::string> standing() const;

 private:
  api::Workers workers_;
  std::vector<uint64_t> polls_;  // of each, then
};

}  // namespace wirelay::ctrl::http
