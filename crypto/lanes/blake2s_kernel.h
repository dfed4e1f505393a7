// BLAKE2s (RFC 7693) in lanes: its compression, for each set of instructions. All but the last run
// only where crypto/lanes/cpu.h has found them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirelay::crypto::lanes {

/// Messages that are hashed side by side; kernels with fewer lanes go over them in several steps.
inline constexpr size_t kHashLanes = 16;

/// Words of 32 bits of all messages: word i of each side by side.
template <size_t kWords>
using HashWords = uint32_t[kWords][kHashLanes];

/// Compresses a block of each of the first `messages` into its state. `bytes`: hashed with this
/// block; the same for all. What is in other lanes is unspecified afterwards. Leaves what it
/// computes with on the stack and in registers.
using Blake2sCompress = void (*)(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes,
                                 bool last, size_t messages) noexcept;

void blake2s_avx512(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                    size_t messages) noexcept;
void blake2s_avx2(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                  size_t messages) noexcept;
/// Four lanes, with what every x86-64 processor has.
void blake2s_sse2(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                  size_t messages) noexcept;

}  // namespace wirelay::crypto::lanes
