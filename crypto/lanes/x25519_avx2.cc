// X25519 in 4 lanes of AVX2.
#include "crypto/lanes/curve_field_avx2.h"
#include "crypto/lanes/wipe.h"
#include "crypto/lanes/x25519_lanes.inc"

namespace wirelay::crypto::lanes {

void x25519_avx2(const X25519Group<4>* groups, size_t count) noexcept {
  multiply_groups(groups, count);
  wipe_deep_avx2();
}

}  // namespace wirelay::crypto::lanes
