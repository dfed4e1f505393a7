// Poly1305 (RFC 8439, section 2.5) with 64-bit multiplication, 4 packets at once: for processors
// whose vector units have no 52-bit multiply-add.
//
// "Lanes" are the general registers here: the steps of 4 packets alternate, so that while one waits
// for its product and carries, the others multiply. h has three limbs, h0 + 2^64 h1 + 2^128 h2.
#pragma once

#include <cstdint>

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

/// A message: `bytes` of text, zeros to the next multiple of 16, then one closing block.
struct PolyMessage {
  const uint8_t* text;
  uint64_t bytes;
  uint64_t closing[2];  // low half, high half
  uint32_t packet;      // whose key, an index into PolyKeys
};

inline constexpr uint32_t kPolyMessages = 4;

/// Computes the tags of kPolyMessages messages, low half and high half of each. Constant time in
/// keys and text; its time depends on lengths.
void poly1305_mulx(const PolyKeys& keys, const PolyMessage (&messages)[kPolyMessages],
                   uint64_t (&tags)[kPolyMessages][2]) noexcept;

}  // namespace wirelay::crypto::lanes
