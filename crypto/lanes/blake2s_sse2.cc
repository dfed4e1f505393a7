// BLAKE2s in 4 lanes, with what every x86-64 processor has.
#include <cstdint>

namespace wirelay::crypto::lanes {

namespace {

using Vector [[gnu::vector_size(16)]] = uint32_t;

template <int kBits>
[[gnu::always_inline]] inline Vector rotate_right(Vector x) noexcept {
  return x >> kBits | x << (32 - kBits);
}

}  // namespace

}  // namespace wirelay::crypto::lanes

#include "crypto/lanes/blake2s_rounds.inc"

namespace wirelay::crypto::lanes {

void blake2s_sse2(HashWords<8>& state, const HashWords<16>& block, uint64_t bytes, bool last,
                  size_t messages) noexcept {
  compress_all(state, block, bytes, last, messages);
}

}  // namespace wirelay::crypto::lanes
