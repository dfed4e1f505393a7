// Questions to the processor; the compiler's builtins ask CPUID and XGETBV.
#include "crypto/lanes/cpu.h"

namespace wirelay::crypto::lanes {

bool cpu_has_avx2() noexcept {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("bmi2") != 0;
}

bool cpu_has_avx512_ifma() noexcept {
  return cpu_has_avx2() && __builtin_cpu_supports("avx512f") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512ifma") != 0 &&
         __builtin_cpu_supports("avx512vbmi2") != 0;
}

}  // namespace wirelay::crypto::lanes
