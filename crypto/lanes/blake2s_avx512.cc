// BLAKE2s in 16 lanes of AVX-512.
#include <cstdint>

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

using Vector [[gnu::vector_size(64)]] = uint32_t;

template <int kBits>
[[gnu::always_inline]] inline Vector rotate_right(Vector x) noexcept {
  return reinterpret_cast<Vector>(_mm512_ror_epi32(reinterpret_cast<__m512i>(x), kBits));
}

}  // namespace

}  // namespace wirelay::crypto::lanes

#include "crypto/lanes/blake2s_rounds.inc"

namespace wirelay::crypto::lanes {

void blake2s_avx512(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                    size_t messages) noexcept {
  compress_all(state, block, bytes, last, messages);
}

}  // namespace wirelay::crypto::lanes
