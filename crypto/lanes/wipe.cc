// See wipe.h. The registers are cleared in assembly: nothing else is sure to touch all of them, and
// the assembler needs no target flags for it.
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

void wipe(void* scratch, size_t bytes) noexcept {
  explicit_bzero(scratch, bytes);
  wipe_stack();
}

void wipe_avx2_registers() noexcept {
  asm volatile("vzeroall" ::
                   : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                     "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

void wipe_avx512_registers() noexcept {
  asm volatile(
      "vzeroall\n\t"  // all of registers 0 to 15
      "vpxord %%zmm16, %%zmm16, %%zmm16\n\t"
      "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"
      "vpxord %%zmm18, %%zmm18, %%zmm18\n\t"
      "vpxord %%zmm19, %%zmm19, %%zmm19\n\t"
      "vpxord %%zmm20, %%zmm20, %%zmm20\n\t"
      "vpxord %%zmm21, %%zmm21, %%zmm21\n\t"
      "vpxord %%zmm22, %%zmm22, %%zmm22\n\t"
      "vpxord %%zmm23, %%zmm23, %%zmm23\n\t"
      "vpxord %%zmm24, %%zmm24, %%zmm24\n\t"
      "vpxord %%zmm25, %%zmm25, %%zmm25\n\t"
      "vpxord %%zmm26, %%zmm26, %%zmm26\n\t"
      "vpxord %%zmm27, %%zmm27, %%zmm27\n\t"
      "vpxord %%zmm28, %%zmm28, %%zmm28\n\t"
      "vpxord %%zmm29, %%zmm29, %%zmm29\n\t"
      "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
      "vpxord %%zmm31, %%zmm31, %%zmm31\n\t"
      "vzeroupper" ::
          : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
            "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

}  // namespace wirelay::crypto::lanes
