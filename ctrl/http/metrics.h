// What /metrics says of a relay. docs/metrics.md lists it.
#pragma once

#include <string>

#include "ctrl/http/exposition.h"
#include "ctrl/http/facts.h"

namespace wirelay::ctrl::http {

/// What "interface" is in the metrics that dashboards for WireGuard know.
inline constexpr std::string_view kInterface = "wirelay";

/// Any thread: workers' counters are read, and nothing of theirs is written.
std::string metrics_text(const Facts& facts, Format format);

}  // namespace wirelay::ctrl::http
