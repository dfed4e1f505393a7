// place_packets() of schedule.h with AVX-512: 8 packets at once. In plain code it costs as much as
// half a set of ChaCha20 blocks, for 32 small packets an eighth of their cost.
#pragma once

#include <cstdint>

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

inline constexpr uint32_t kPlaceAtOnce = 8;

/// `packets` are AeadPackets, read as four 64-bit words each: key, counter, text, and the length in
/// the low half of the last. Their number is plan.packets, rounded up to kPlaceAtOnce.
void place_packets_avx512(const void* const* packets, Plan& plan) noexcept;

}  // namespace wirelay::crypto::lanes
