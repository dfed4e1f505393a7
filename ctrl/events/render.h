// An event as JSON: {"kind", "number", "time", "user", "peer"} and the fields of its kind. User and
// peer only where it is about one.
#pragma once

#include <string>

#include <json/value.h>

#include "ctrl/events/event.h"

namespace wirelay::ctrl::events {

/// Any thread but the control thread, for which it takes too long.
Json::Value to_json(const Event& event);

/// "2026-01-31T23:59:59.123Z"
std::string time_text(uint64_t unix_ns);

}  // namespace wirelay::ctrl::events
