// Poly1305 (RFC 8439, section 2.5), 8 accumulators at once with AVX-512 IFMA: one in each 64-bit
// lane, three limbs of 44, 44 and 42 bits.
//
//             lane 0    lane 1          lane 7
//     zmm a | h mod 2^44              | ...    |    h = h0 + 2^44 h1 + 2^88 h2
//     zmm b | h >> 44 mod 2^44        | ...    |
//     zmm c | h >> 88                 | ...    |
//
// A lane works on one packet, or on one strand of a packet that has more chunks than its
// neighbours. A chunk is 4 blocks of 16 bytes; strand s of j takes every j-th chunk:
//
//     text of 7 chunks, j = 2:  |  C0 |  C1 |  C2 |  C3 |  C4 |  C5 |  C6 | closing block
//                                strand 1 (odd) ends with the last chunk:
//     lane of strand 0:                C1          C3          C5
//     lane of strand 1:          C0          C2          C4          C6
//
// All lanes end at their last chunk in the same step, so texts of different lengths begin in
// different steps: until then a lane reads zeros, which leave its accumulator at zero.
//
// In a chunk, h becomes (h + m0) r^4 + m1 r^3 + m2 r^2 + m3 r, with one reduction for 4 blocks.
// With strands, h is multiplied by R = r^(4j) instead and the strands are added up at the end.
#pragma once

#include <cstdint>

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

inline constexpr uint32_t kChunkBytes = 64;
inline constexpr uint32_t kPolyShortChunks = 2;  // up to these many no powers of r are used
inline constexpr uint32_t kPolyLanes = 8;        // in a register
inline constexpr uint32_t kPolyRegisters = 2;    // independent registers of lanes, at most
inline constexpr uint32_t kPolySlots = kPolyLanes * kPolyRegisters;

/// Messages of one or two registers of lanes, one a lane: `bytes` of text, zeros to the next
/// multiple of 16, then one closing block (for the AEAD: the lengths). Lane i has the key of packet
/// first + i. The first is of the most chunks. Behind a text, up to 15 bytes of the place of its
/// tag are read.
struct PolyTexts {
  const uint8_t* const* text;
  const int64_t* bytes;
  const uint64_t* closing[2];  // low halves, high halves
  uint32_t first;
  uint32_t registers;  // 1 or 2
};

/// One register of lanes, some of them strands. The strands of a packet stand side by side; their
/// number is 1, 2, 4 or 8 and divides the lane of the first. Idle lanes repeat lane 0. Steps are
/// counted from the end of the text: in step 0 each lane is at its last chunk.
struct alignas(64) PolyStrands {
  alignas(64) int64_t bytes[kPolyLanes];        // of the packet, whatever the strand
  alignas(64) int64_t last[kPolyLanes];         // where in the text the lane's last chunk begins;
                                                // its first blocks may lie before the text
  alignas(64) int64_t stride[kPolyLanes];       // bytes from a chunk to the lane's next
  alignas(64) uint64_t closing[2][kPolyLanes];  // low half, high half
  alignas(32) uint32_t packet[kPolyLanes];      // whose key, an index into PolyKeys
  const uint8_t* text[kPolyLanes];
  int64_t steps;       // of the longest lane
  int64_t full_begin;  // in steps from full_begin to before full_end all lanes have whole chunks
  int64_t full_end;
  // Masks of lanes. Level 0 has to do with packets of 2 strands and more, level 1 with 4 and more,
  // level 2 with 8.
  uint8_t split[3];  // lanes of packets with so many strands
  uint8_t fold[3];   // of them, those to be multiplied by r^4, r^8, r^16 and added 1, 2, 4 lanes up
};

/// Tags, low half and high half, valid in the lane of a packet's last strand.
struct alignas(64) PolyTags {
  uint64_t tag[kPolySlots][2];
};

/// Compute tags. Constant time in keys and text; their time depends on lengths.
void poly1305_ifma(const PolyKeys& keys, const PolyTexts& texts, PolyTags& tags) noexcept;
void poly1305_ifma(const PolyKeys& keys, const PolyStrands& strands, PolyTags& tags) noexcept;

}  // namespace wirelay::crypto::lanes
