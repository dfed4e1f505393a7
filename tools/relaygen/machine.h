// What the figures of a report were measured on.
#pragma once

#include <json/value.h>

#include "tools/relaygen/rig.h"

namespace wirelay::relaygen {

/// Processor, kernel, memory, versions, drivers and engine.
Json::Value describe_machine(Rig& rig);

}  // namespace wirelay::relaygen
