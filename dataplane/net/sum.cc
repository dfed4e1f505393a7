// One loop, compiled for each width of registers; see sum.h.
#include "dataplane/net/sum.h"

#include <cstring>

namespace wirelay::dataplane {

namespace {

/// Words of four bytes: their carries stay within eight.
[[gnu::always_inline]] inline uint64_t add_words(const uint8_t* at, size_t bytes) noexcept {
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes / 4; ++i) {
    uint32_t word;
    std::memcpy(&word, at + 4 * i, sizeof word);
    sum += word;
  }
  uint32_t rest = 0;
  std::memcpy(&rest, at + bytes / 4 * 4, bytes % 4);
  return sum + rest;
}

#ifdef __clang__
[[gnu::target("avx512f,avx512bw,avx512vl"), clang::min_vector_width(512)]]
#else
[[gnu::target("avx512f,avx512bw,avx512vl,prefer-vector-width=512")]]
#endif
uint64_t
add_by_512(const uint8_t* at, size_t bytes) noexcept {
  return add_words(at, bytes);
}
[[gnu::target("avx2")]] uint64_t add_by_256(const uint8_t* at, size_t bytes) noexcept {
  return add_words(at, bytes);
}
uint64_t add_by_128(const uint8_t* at, size_t bytes) noexcept { return add_words(at, bytes); }

using Sum = uint64_t (*)(const uint8_t*, size_t) noexcept;

Sum widest() noexcept {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) return add_by_512;
  return __builtin_cpu_supports("avx2") ? add_by_256 : add_by_128;
}

const Sum kSum = widest();

}  // namespace

uint64_t sum_of(const uint8_t* at, size_t bytes) noexcept { return kSum(at, bytes); }

}  // namespace wirelay::dataplane
