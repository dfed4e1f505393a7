// X25519 in lanes: what its kernels take. Each is built for its own instructions and runs only
// where crypto/lanes/cpu.h has found them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirelay::crypto::lanes {

/// Multiplications of a set of lanes. All pointers are to 32 bytes. `point` is null in all lanes or
/// in none: then it is the base point.
template <int kLanes>
struct X25519Group {
  const uint8_t* scalar[kLanes];
  const uint8_t* point[kLanes];
  uint8_t* out[kLanes];  // written after everything was read
};

/// That a call takes at most; they share an inversion.
inline constexpr size_t kX25519Groups = 8;

/// Multiplies, and wipes the stack and the registers that it has used. The first call makes a
/// table.
void x25519_ifma(const X25519Group<8>* groups, size_t count) noexcept;
void x25519_avx2(const X25519Group<4>* groups, size_t count) noexcept;

}  // namespace wirelay::crypto::lanes
