// See place_avx512.h. Built for AVX-512 F: call nothing here before cpu.h says that the processor
// has it.
#include "crypto/lanes/place_avx512.h"

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

/// Packets, 8 at once: a register for each of their words.
struct Packets {
  __m512i key, counter, text, length;
};

inline __m512i set1(uint64_t value) noexcept {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

inline Packets load_packets(const void* const* packets) noexcept {
  const auto pair = [packets](int a, int b) {
    const auto load = [packets](int i) {
      return _mm256_loadu_si256(static_cast<const __m256i*>(packets[i]));
    };
    return _mm512_inserti64x4(_mm512_castsi256_si512(load(a)), load(b), 1);
  };
  const __m512i p02 = pair(0, 2), p13 = pair(1, 3), p46 = pair(4, 6), p57 = pair(5, 7);
  const __m512i low0123 = _mm512_unpacklo_epi64(p02, p13);
  const __m512i high0123 = _mm512_unpackhi_epi64(p02, p13);
  const __m512i low4567 = _mm512_unpacklo_epi64(p46, p57);
  const __m512i high4567 = _mm512_unpackhi_epi64(p46, p57);
  const __m512i last = _mm512_shuffle_i64x2(high0123, high4567, 0xdd);
  return {_mm512_shuffle_i64x2(low0123, low4567, 0x88),
          _mm512_shuffle_i64x2(high0123, high4567, 0x88),
          _mm512_shuffle_i64x2(low0123, low4567, 0xdd), _mm512_and_si512(last, set1(UINT32_MAX))};
}

inline void store_low_words(uint32_t* to, __m512i words) noexcept {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi64_epi32(words));
}

}  // namespace

void place_packets_avx512(const void* const* packets, Plan& plan) noexcept {
  const __m512i lane = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const uint32_t count = plan.packets;
  // From the last on: the jobs of its keys run over into those of last blocks, which then follow.
  for (uint32_t first = (count - 1) / kPlaceAtOnce * kPlaceAtOnce;; first -= kPlaceAtOnce) {
    const Packets p = load_packets(packets + first);
    const __m512i place = _mm512_add_epi64(lane, set1(first));
    const __m512i last = _mm512_add_epi64(place, set1(count));
    const __m512i blocks = _mm512_srli_epi64(_mm512_add_epi64(p.length, set1(kBlockBytes - 1)), 6);
    const __m512i bytes_before = _mm512_slli_epi64(_mm512_sub_epi64(blocks, set1(1)), 6);
    const __m512i last_job = _mm512_or_si512(_mm512_add_epi64(place, set1(kLastBlock)),
                                             _mm512_slli_epi64(blocks, kJobNumberShift));
    _mm512_storeu_si512(plan.key + first, p.key);
    store_low_words(plan.counter[0] + first, p.counter);
    store_low_words(plan.counter[1] + first, _mm512_srli_epi64(p.counter, 32));
    _mm512_storeu_si512(plan.text + first, p.text);
    _mm512_storeu_si512(plan.bytes + first, p.length);
    store_low_words(plan.job + first, place);
    store_low_words(plan.job + count + first, last_job);
    _mm512_storeu_si512(
        plan.base + kLastBlock + first,
        _mm512_add_epi64(p.text, _mm512_sub_epi64(bytes_before, _mm512_slli_epi64(last, 6))));
    store_low_words(plan.block_bytes + kLastBlock + first,
                    _mm512_sub_epi64(p.length, bytes_before));
    if (first == 0) break;
  }
  const auto last_text = reinterpret_cast<uintptr_t>(plan.text[count - 1]);
  _mm512_storeu_si512(plan.text + count, set1(last_text));
  _mm512_storeu_si512(plan.bytes + count, set1(static_cast<uint64_t>(plan.bytes[count - 1])));
}

}  // namespace wirelay::crypto::lanes
