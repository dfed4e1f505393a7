// Poly1305 (RFC 8439, section 2.5), 4 accumulators at once with AVX2: one in each 64-bit lane, five
// limbs of 26 bits.
//
//             lane 0         lane 1          lane 3
//     ymm a | h mod 2^26                   | ...    |   h = h0 + 2^26 h1 + 2^52 h2 + 2^78 h3
//       ... |                              |        |       + 2^104 h4
//     ymm e | h >> 104                     | ...    |
//
// As in poly1305_ifma.h, a step takes a chunk of 4 blocks, with one reduction for the four, and all
// lanes end in the same step; each lane is a packet of its own.
#pragma once

#include <cstdint>

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

/// A message: `bytes` of text, zeros to the next multiple of 16, then one closing block.
struct PolyMessage {
  const uint8_t* text;
  int64_t bytes;
  uint64_t closing[2];  // low half, high half
  uint32_t packet;      // whose key, an index into PolyKeys
};

inline constexpr uint32_t kPolyMessages = 4;

/// Computes the tags of kPolyMessages messages, low half and high half of each. Constant time in
/// keys and text; its time depends on lengths.
void poly1305_avx2(const PolyKeys& keys, const PolyMessage (&messages)[kPolyMessages],
                   uint64_t (*tags)[2]) noexcept;

}  // namespace wirelay::crypto::lanes
