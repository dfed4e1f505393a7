// BLAKE2s in 8 lanes of AVX2.
#include <cstdint>

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

using Vector [[gnu::vector_size(32)]] = uint32_t;

/// Rotations by whole bytes are one shuffle.
template <int kBits>
[[gnu::always_inline]] inline Vector rotate_right(Vector x) noexcept {
  if constexpr (kBits % 8 == 0) {
    constexpr int kBytes = kBits / 8;
    const auto from = [](int i) { return static_cast<char>(i / 4 * 4 + (i + kBytes) % 4); };
    const __m256i order = _mm256_setr_epi8(
        from(0), from(1), from(2), from(3), from(4), from(5), from(6), from(7), from(8), from(9),
        from(10), from(11), from(12), from(13), from(14), from(15), from(0), from(1), from(2),
        from(3), from(4), from(5), from(6), from(7), from(8), from(9), from(10), from(11), from(12),
        from(13), from(14), from(15));
    return reinterpret_cast<Vector>(_mm256_shuffle_epi8(reinterpret_cast<__m256i>(x), order));
  } else {
    return x >> kBits | x << (32 - kBits);
  }
}

}  // namespace

}  // namespace wirelay::crypto::lanes

#include "crypto/lanes/blake2s_rounds.inc"

namespace wirelay::crypto::lanes {

void blake2s_avx2(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                  size_t messages) noexcept {
  compress_all(state, block, bytes, last, messages);
}

}  // namespace wirelay::crypto::lanes
