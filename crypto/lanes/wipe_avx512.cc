// Wiping after a burst with AVX-512; see wipe.h. A burst of small packets is over in a microsecond,
// so that it matters: whole lines are stored, and registers are cleared by what the processor does
// while renaming them.
#include <cstdint>

#include <immintrin.h>

#include "crypto/lanes/wipe.h"

namespace wirelay::crypto::lanes {

namespace {

// More than the deepest frames of kernels, by the tests' account of what is left in them.
constexpr size_t kShortStackBytes = 3840;
constexpr size_t kStackBytes = 6656;
constexpr size_t kDeepStackBytes = 24576;

[[gnu::always_inline]] inline void wipe_lines(void* memory, size_t bytes) noexcept {
  auto* line = static_cast<uint8_t*>(memory);
  for (size_t i = 0; i < bytes; i += 64) _mm512_store_si512(line + i, _mm512_setzero_si512());
  asm volatile("" : : "r"(memory) : "memory");  // the stores count, though nobody reads them
}

/// Its frame lies where the kernels' frames lay.
template <size_t kBytes>
[[gnu::noinline]] void wipe_stack() noexcept {
  alignas(64) uint8_t frame[kBytes];
  wipe_lines(frame, kBytes);
}

/// An instruction that clears the low part of a register 0 to 15 clears all of it.
void wipe_registers() noexcept {
  asm volatile(
      "vpxor %%xmm0, %%xmm0, %%xmm0\n\t"
      "vpxor %%xmm1, %%xmm1, %%xmm1\n\t"
      "vpxor %%xmm2, %%xmm2, %%xmm2\n\t"
      "vpxor %%xmm3, %%xmm3, %%xmm3\n\t"
      "vpxor %%xmm4, %%xmm4, %%xmm4\n\t"
      "vpxor %%xmm5, %%xmm5, %%xmm5\n\t"
      "vpxor %%xmm6, %%xmm6, %%xmm6\n\t"
      "vpxor %%xmm7, %%xmm7, %%xmm7\n\t"
      "vpxor %%xmm8, %%xmm8, %%xmm8\n\t"
      "vpxor %%xmm9, %%xmm9, %%xmm9\n\t"
      "vpxor %%xmm10, %%xmm10, %%xmm10\n\t"
      "vpxor %%xmm11, %%xmm11, %%xmm11\n\t"
      "vpxor %%xmm12, %%xmm12, %%xmm12\n\t"
      "vpxor %%xmm13, %%xmm13, %%xmm13\n\t"
      "vpxor %%xmm14, %%xmm14, %%xmm14\n\t"
      "vpxor %%xmm15, %%xmm15, %%xmm15\n\t"
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
            "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",
            "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
            "xmm28", "xmm29", "xmm30", "xmm31");
}

}  // namespace

void wipe_avx512(void* scratch, size_t bytes, bool short_texts) noexcept {
  wipe_lines(scratch, bytes);
  short_texts ? wipe_stack<kShortStackBytes>() : wipe_stack<kStackBytes>();
  wipe_registers();
}

void wipe_deep_avx512() noexcept {
  wipe_stack<kDeepStackBytes>();
  wipe_registers();
}

}  // namespace wirelay::crypto::lanes
