// ChaCha20 (RFC 8439, section 2.3), 8 blocks at once with AVX2: as chacha20_avx512.h, with one
// block in each 32-bit lane of a 256-bit register, and lanes 0 to 7 of a key stream only.
//
// The 16 words of state take all 16 registers that there are, so the compiler keeps one or two of
// them in memory at any time; rotations by 16 and 8 are byte shuffles, by 12 and 7 two shifts.
#pragma once

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

/// Computes the key stream of the 8 jobs of `plan` from `first` on.
void chacha20_avx2(const Plan& plan, uint32_t first, KeyStream& stream) noexcept;

/// XORs the key stream of those 8 jobs into their texts, in place and only as far as each block
/// goes.
void chacha20_finish_avx2(const Plan& plan, uint32_t first, KeyStream& stream) noexcept;

/// Takes the Poly1305 keys of the 8 packets from `first` on out of a stream not yet applied.
void chacha20_keys_avx2(const KeyStream& stream, uint32_t first, PolyKeys& keys) noexcept;

}  // namespace wirelay::crypto::lanes
