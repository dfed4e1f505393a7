// X25519 in 8 lanes of AVX-512 IFMA.
#include "crypto/lanes/curve_field_ifma.h"
#include "crypto/lanes/wipe.h"
#include "crypto/lanes/x25519_lanes.inc"

namespace wirelay::crypto::lanes {

void x25519_ifma(const X25519Group<8>* groups, size_t count) noexcept {
  multiply_groups(groups, count);
  wipe_deep_avx512();
}

}  // namespace wirelay::crypto::lanes
