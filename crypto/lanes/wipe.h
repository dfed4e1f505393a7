// Wiping key material where it would outlive a burst: scratch memory, the stack that kernels have
// used, vector registers.
#pragma once

#include <cstddef>

namespace wirelay::crypto::lanes {

/// Wipes `scratch`, and the stack below the caller as far as kernels may have spilled keys to it.
void wipe(void* scratch, size_t bytes) noexcept;

/// Only on processors that have them.
void wipe_avx2_registers() noexcept;
void wipe_avx512_registers() noexcept;

}  // namespace wirelay::crypto::lanes
