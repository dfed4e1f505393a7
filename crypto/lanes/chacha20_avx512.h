// ChaCha20 (RFC 8439, section 2.3), 16 blocks at once with AVX-512: one block in each 32-bit lane.
//
// The state has 16 words, so it takes 16 registers, word w of all blocks in register w:
//
//               lane 0   lane 1   lane 2         lane 15
//     zmm  0  | "expa" | "expa" | "expa" | ... | "expa" |   constants: words 0 to 3
//     zmm  4  | key of | key of | key of |     | key of |   words 4 to 11
//       ...   | packet | packet | packet |     | packet |
//     zmm 12  | block# | block# | block# | ... | block# |   the block's number in its packet
//     zmm 13  |   0    |   0    |   0    | ... |   0    |   nonce: four zero bytes,
//     zmm 14  | ctr lo | ctr lo | ctr lo | ... | ctr lo |   then the packet's counter
//     zmm 15  | ctr hi | ctr hi | ctr hi | ... | ctr hi |
//
// Any packet's block may stand in any lane. The keys of a plan are turned once into the same form,
// one plane for a word; a set of blocks then picks its lanes from the planes with one permutation a
// word.
#pragma once

#include <cstdint>

#include "crypto/lanes/plan.h"

namespace wirelay::crypto::lanes {

/// Fills `planes` from the keys of `plan`; what is behind its packets is unspecified. Prepares
/// `stream` for the first set.
void chacha20_load_avx512(const Plan& plan, KeyPlanes& planes, KeyStream& stream) noexcept;

/// Computes in `stream`, which is prepared, the key stream of the 16 jobs of `plan` from `first`
/// on. `other` has that of the 16 jobs before them: XORs it meanwhile into their texts, in place
/// and only as far as each block goes, and prepares it for the 16 jobs that follow. The two have
/// nothing to do with each other, which is the point: steps of the one stand between steps of the
/// other, so that ports 0 and 5 stay evenly busy. For the first set, `other` may be anything.
/// What of the set are Poly1305 keys goes to `keys`; of a set that is all keys nothing goes to
/// `stream`.
void chacha20_avx512(const KeyPlanes& planes, const Plan& plan, uint32_t first, KeyStream& stream,
                     KeyStream& other, PolyKeys& keys) noexcept;

/// XORs the key stream of the 16 jobs from `first` on into their texts.
void chacha20_finish_avx512(const Plan& plan, uint32_t first, KeyStream& stream) noexcept;

}  // namespace wirelay::crypto::lanes
