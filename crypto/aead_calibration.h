// How fast an engine is on this machine: what "auto" is judged by.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "crypto/aead.h"

namespace wirelay::crypto {

/// Small, middle and large packets, bytes of text.
inline constexpr std::array<uint32_t, 3> kCalibrationBytes = {64, 576, 1420};

/// Nanoseconds to seal one packet of each size, in bursts of 32 packets under 32 keys.
using EngineCost = std::array<double, kCalibrationBytes.size()>;

/// Measures for about a millisecond; of several runs the fastest counts, for what else the machine
/// does can only slow a run down. Control thread, at start.
EngineCost measure_cost(AeadEngine& engine);

/// How much dearer `cost` is than `best`, on average over the sizes: 1 is as good as it.
double relative_cost(const EngineCost& cost, const EngineCost& best) noexcept;

/// "64/576/1420 bytes in 40/160/390 ns".
std::string to_text(const EngineCost& cost);

}  // namespace wirelay::crypto
