// What a lane-parallel engine does with a burst too small to fill its lanes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "crypto/aead.h"

namespace wirelay::crypto::lanes {

/// The fastest engine of this machine that works packet by packet.
std::unique_ptr<AeadEngine> make_small_burst_engine();

/// Says so, for EngineInfo::reason: bursts below `packets` packets go there.
std::string small_burst_text(size_t packets);

}  // namespace wirelay::crypto::lanes
