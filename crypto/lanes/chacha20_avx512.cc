// ChaCha20 in 16 lanes; chacha20_avx512.h draws them. Built for AVX-512 F, BW: call nothing here
// before cpu.h says that the processor has them.
#include "crypto/lanes/chacha20_avx512.h"

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

constexpr uint32_t kLanes = 16;
constexpr uint32_t kWords = 16;
constexpr int kDoubleRounds = 10;

inline void quarter_round(__m512i& a, __m512i& b, __m512i& c, __m512i& d) noexcept {
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 16);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 12);
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 8);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 7);
}

inline void double_round(__m512i (&v)[kWords]) noexcept {
  quarter_round(v[0], v[4], v[8], v[12]);
  quarter_round(v[1], v[5], v[9], v[13]);
  quarter_round(v[2], v[6], v[10], v[14]);
  quarter_round(v[3], v[7], v[11], v[15]);
  quarter_round(v[0], v[5], v[10], v[15]);
  quarter_round(v[1], v[6], v[11], v[12]);
  quarter_round(v[2], v[7], v[8], v[13]);
  quarter_round(v[3], v[4], v[9], v[14]);
}

/// One word for each lane: that of packet `packet[lane]`.
inline __m512i pick(const uint32_t (&plane)[kPlanPackets], __m512i packet) noexcept {
  return _mm512_permutex2var_epi32(_mm512_load_si512(plane), packet,
                                   _mm512_load_si512(plane + kLanes));
}

inline void initial_state(const KeyPlanes& planes, const BlockSet& set,
                          __m512i (&v)[kWords]) noexcept {
  const __m512i packet = _mm512_load_si512(set.packet);
  v[0] = _mm512_set1_epi32(0x61707865);
  v[1] = _mm512_set1_epi32(0x3320646e);
  v[2] = _mm512_set1_epi32(0x79622d32);
  v[3] = _mm512_set1_epi32(0x6b206574);
  for (uint32_t w = 0; w < kKeyWords; ++w) v[4 + w] = pick(planes.key[w], packet);
  v[12] = _mm512_load_si512(set.block);
  v[13] = _mm512_setzero_si512();
  v[14] = _mm512_load_si512(set.counter[0]);
  v[15] = _mm512_load_si512(set.counter[1]);
}

/// Turns 4 words of 16 blocks into 4 registers: quarter q of out[i] is those words of block 4q + i.
inline void transpose_words(const __m512i* v, __m512i* out) noexcept {
  const __m512i low01 = _mm512_unpacklo_epi32(v[0], v[1]);
  const __m512i high01 = _mm512_unpackhi_epi32(v[0], v[1]);
  const __m512i low23 = _mm512_unpacklo_epi32(v[2], v[3]);
  const __m512i high23 = _mm512_unpackhi_epi32(v[2], v[3]);
  out[0] = _mm512_unpacklo_epi64(low01, low23);
  out[1] = _mm512_unpackhi_epi64(low01, low23);
  out[2] = _mm512_unpacklo_epi64(high01, high23);
  out[3] = _mm512_unpackhi_epi64(high01, high23);
}

/// The key stream `row` for one lane; the mask keeps loads and stores within the text.
inline void xor_row(const BlockSet& set, uint32_t lane, __m512i row) noexcept {
  uint8_t* text = set.text[lane];
  if (set.bytes[lane] == kBlockBytes) {
    _mm512_storeu_si512(text, _mm512_xor_si512(row, _mm512_loadu_si512(text)));
  } else if (set.bytes[lane] > 0) {
    const __mmask64 mask = (uint64_t{1} << set.bytes[lane]) - 1;
    const __m512i old = _mm512_maskz_loadu_epi8(mask, text);
    _mm512_mask_storeu_epi8(text, mask, _mm512_xor_si512(row, old));
  }
}

/// Gathers the quarters of blocks i, i + 4, i + 8, i + 12 and XORs them into their texts.
inline void xor_rows(const KeyStream& quarters, uint32_t i, const BlockSet& set) noexcept {
  const __m512i a = _mm512_load_si512(quarters.word[i]);
  const __m512i b = _mm512_load_si512(quarters.word[4 + i]);
  const __m512i c = _mm512_load_si512(quarters.word[8 + i]);
  const __m512i d = _mm512_load_si512(quarters.word[12 + i]);
  const __m512i ab_even = _mm512_shuffle_i32x4(a, b, 0x88);
  const __m512i ab_odd = _mm512_shuffle_i32x4(a, b, 0xdd);
  const __m512i cd_even = _mm512_shuffle_i32x4(c, d, 0x88);
  const __m512i cd_odd = _mm512_shuffle_i32x4(c, d, 0xdd);
  xor_row(set, i, _mm512_shuffle_i32x4(ab_even, cd_even, 0x88));
  xor_row(set, i + 4, _mm512_shuffle_i32x4(ab_odd, cd_odd, 0x88));
  xor_row(set, i + 8, _mm512_shuffle_i32x4(ab_even, cd_even, 0xdd));
  xor_row(set, i + 12, _mm512_shuffle_i32x4(ab_odd, cd_odd, 0xdd));
}

inline void transpose_in_place(KeyStream& stream, uint32_t quad) noexcept {
  __m512i word[4], quarter[4];
  for (uint32_t w = 0; w < 4; ++w) word[w] = _mm512_load_si512(stream.word[4 * quad + w]);
  transpose_words(word, quarter);
  for (uint32_t w = 0; w < 4; ++w) _mm512_store_si512(stream.word[4 * quad + w], quarter[w]);
}

constexpr int kFinishParts = 8;

/// One of the kFinishParts parts, in order, of turning a key stream into blocks and XORing them.
inline void finish_part(KeyStream& stream, const BlockSet& set, int part) noexcept {
  if (part < 4) {
    transpose_in_place(stream, part);
  } else if (part < kFinishParts) {
    xor_rows(stream, part - 4, set);
  }
}

/// The rounds for one set, and after each double round a part of what goes on beside them.
template <bool kFinish>
inline void run_rounds(const KeyPlanes& planes, const BlockSet& set, KeyStream& stream,
                       const BlockSet* done_set, KeyStream& done, Dealer& dealer,
                       BlockSet& ahead) noexcept {
  __m512i v[kWords];
  initial_state(planes, set, v);
  for (uint32_t w = 0; w < kWords; ++w) _mm512_store_si512(stream.word[w], v[w]);
  // Read them back at the end: 16 registers more would go to the stack, where keys must not stay.
  asm volatile("" ::: "memory");
#pragma GCC unroll 10
  for (int i = 0; i < kDoubleRounds; ++i) {
    double_round(v);
    if constexpr (kFinish) finish_part(done, *done_set, i);
    if (i < kFinishParts) deal_lanes(dealer, ahead, 2 * i, 2 * i + 2);
  }
  for (uint32_t w = 0; w < kWords; ++w) {
    const __m512i start = _mm512_load_si512(stream.word[w]);
    _mm512_store_si512(stream.word[w], _mm512_add_epi32(v[w], start));
  }
}

/// Turns up to 16 keys into 8 planes, with the steps of store_blocks() run the other way round:
/// registers hold two keys each, so that 4-word halves of keys i, i + 4, i + 8, i + 12 share one.
inline void load_keys(const uint8_t* const* keys, uint32_t packets, KeyPlanes& planes,
                      uint32_t first) noexcept {
  __m512i half[2][4];  // half[h][i]: quarter q is words 4h to 4h + 3 of key 4q + i
  for (uint32_t i = 0; i < 4; ++i) {
    __m256i key[4];
    for (uint32_t q = 0; q < 4; ++q) {
      const uint32_t packet = 4 * q + i < packets ? 4 * q + i : 0;
      key[q] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(keys[packet]));
    }
    const __m512i low = _mm512_inserti64x4(_mm512_castsi256_si512(key[0]), key[1], 1);
    const __m512i high = _mm512_inserti64x4(_mm512_castsi256_si512(key[2]), key[3], 1);
    half[0][i] = _mm512_shuffle_i32x4(low, high, 0x88);
    half[1][i] = _mm512_shuffle_i32x4(low, high, 0xdd);
  }
  for (uint32_t h = 0; h < 2; ++h) {
    __m512i word[4];
    transpose_words(half[h], word);
    // A 4x4 transpose within quarters is its own inverse: word w of block 4q + i is now at lane
    // 4q + i of word[w].
    for (uint32_t w = 0; w < 4; ++w) _mm512_store_si512(planes.key[4 * h + w] + first, word[w]);
  }
}

}  // namespace

void chacha20_load_avx512(const Plan& plan, KeyPlanes& planes) noexcept {
  for (uint32_t first = 0; first < plan.packets; first += kLanes) {
    const uint32_t rest = plan.packets - first;
    load_keys(plan.key + first, rest < kLanes ? rest : kLanes, planes, first);
  }
}

void chacha20_avx512(const KeyPlanes& planes, const BlockSet& set, KeyStream& stream,
                     const BlockSet* done_set, KeyStream& done, Dealer& dealer,
                     BlockSet& ahead) noexcept {
  if (done_set != nullptr) {
    run_rounds<true>(planes, set, stream, done_set, done, dealer, ahead);
  } else {
    run_rounds<false>(planes, set, stream, nullptr, done, dealer, ahead);
  }
}

void chacha20_finish_avx512(const BlockSet& done_set, KeyStream& done) noexcept {
  for (int part = 0; part < kFinishParts; ++part) finish_part(done, done_set, part);
}

void chacha20_keys_avx512(const KeyStream& stream, uint32_t first, PolyKeys& keys) noexcept {
  for (uint32_t w = 0; w < kKeyWords; ++w) {
    _mm512_store_si512(keys.word[w] + first, _mm512_load_si512(stream.word[w]));
  }
}

}  // namespace wirelay::crypto::lanes
