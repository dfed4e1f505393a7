// Wiping key material where it would outlive a burst: scratch memory, the stack that kernels have
// used, vector registers.
#pragma once

#include <cstddef>

namespace wirelay::crypto::lanes {

/// Wipes `scratch`, the stack below the caller as far as kernels may have spilled keys to it, and
/// the vector registers.
void wipe_avx2(void* scratch, size_t bytes) noexcept;

/// The same with AVX-512; `bytes` is a multiple of 64 and `scratch` lies at one. Kernels that
/// worked on short texts only (kPolyShortChunks) have used less of the stack.
void wipe_avx512(void* scratch, size_t bytes, bool short_texts) noexcept;

/// Wipe the stack below the caller, as far as the kernels of x25519_kernel.h and blake2s_kernel.h
/// use it, and the vector registers.
void wipe_deep_avx2() noexcept;
void wipe_deep_avx512() noexcept;

}  // namespace wirelay::crypto::lanes
