// See wipe.h; for AVX-512 wipe_avx512.cc. Registers are cleared in assembly: nothing else is sure
// to touch all of them, and the assembler needs no target flags for it.
#include "crypto/lanes/wipe.h"

#include <cstdint>
#include <cstring>

namespace wirelay::crypto::lanes {

namespace {

// More than the deepest frames of kernels, about 3 KB and 17 KB.
constexpr size_t kStackBytes = 4096;
constexpr size_t kDeepStackBytes = 24576;

/// Its frame lies where the kernels' frames lay.
template <size_t kBytes>
[[gnu::noinline]] void wipe_stack() noexcept {
  uint8_t frame[kBytes];
  explicit_bzero(frame, sizeof frame);
}

void wipe_registers() noexcept {
  asm volatile("vzeroall" ::
                   : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

}  // namespace

void wipe_avx2(void* scratch, size_t bytes) noexcept {
  explicit_bzero(scratch, bytes);
  wipe_stack<kStackBytes>();
  wipe_registers();
}

void wipe_deep_avx2() noexcept {
  wipe_stack<kDeepStackBytes>();
  wipe_registers();
}

}  // namespace wirelay::crypto::lanes
