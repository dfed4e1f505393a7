// What the processor and the operating system (which must save the wide registers) allow.
#pragma once

namespace wirelay::crypto::lanes {

/// AVX2 and BMI2, for the kernels of chacha20_avx2.h and poly1305_avx2.h.
bool cpu_has_avx2() noexcept;

/// AVX-512 F, BW, DQ, VL, IFMA and VBMI2, for those of chacha20_avx512.h and poly1305_ifma.h: Intel
/// from Ice Lake, AMD from Zen 4 on.
bool cpu_has_avx512_ifma() noexcept;

}  // namespace wirelay::crypto::lanes
