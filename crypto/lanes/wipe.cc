// See wipe.h; for AVX-512 wipe_avx512.cc. Registers are cleared in assembly: nothing else is sure
// to touch all of them, and the assembler needs no target flags for it.
#include "crypto/lanes/wipe.h"

#include <cstdint>
#include <cstring>

namespace wirelay::crypto::lanes {

namespace {

// More than the deepest frame of a kernel, about 3 KB.
constexpr size_t kStackBytes = 4096;

/// Its frame lies where the kernels' frames lay.
[[gnu::noinline]] void wipe_stack() noexcept {
  uint8_t frame[kStackBytes];
  explicit_bzero(frame, sizeof frame);
}

}  // namespace

void wipe_avx2(void* scratch, size_t bytes) noexcept {
  explicit_bzero(scratch, bytes);
  wipe_stack();
  asm volatile("vzeroall" ::
                   : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

}  // namespace wirelay::crypto::lanes
