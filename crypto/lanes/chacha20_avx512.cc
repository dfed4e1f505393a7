// ChaCha20 in 16 lanes; chacha20_avx512.h draws them. Built for AVX-512 F, BW: call nothing here
// before cpu.h says that the processor has them.
#include "crypto/lanes/chacha20_avx512.h"

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

constexpr uint32_t kLanes = 16;
constexpr uint32_t kWords = 16;
constexpr uint32_t kDoubleRounds = 10;

[[gnu::always_inline]] inline void quarter_round(__m512i& a, __m512i& b, __m512i& c,
                                                 __m512i& d) noexcept {
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 16);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 12);
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 8);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 7);
}

[[gnu::always_inline]] inline void double_round(__m512i (&v)[kWords]) noexcept {
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
[[gnu::always_inline]] inline __m512i pick(const uint32_t (&plane)[kPlanPackets],
                                           __m512i packet) noexcept {
  return _mm512_permutex2var_epi32(_mm512_load_si512(plane), packet,
                                   _mm512_load_si512(plane + kLanes));
}

/// Writes the words of the initial state that are not the same in all lanes.
[[gnu::always_inline]] inline void prepare(const KeyPlanes& planes, const Plan& plan,
                                           uint32_t first, KeyStream& stream) noexcept {
  const __m512i job = _mm512_loadu_si512(plan.job + first);  // permutations read 5 bits of it
#pragma GCC unroll 8
  for (uint32_t w = 0; w < kKeyWords; ++w) {
    _mm512_store_si512(stream.word[4 + w], pick(planes.key[w], job));
  }
  _mm512_store_si512(stream.word[12], _mm512_srli_epi32(job, kJobNumberShift));
  _mm512_store_si512(stream.word[14], pick(plan.counter[0], job));
  _mm512_store_si512(stream.word[15], pick(plan.counter[1], job));
}

/// The initial state of a prepared set: word w of all lanes. Read from memory at the begin and at
/// the end of the rounds: 16 registers more would go to the stack, where keys must not stay.
[[gnu::always_inline]] inline __m512i initial_word(const KeyPlanes& planes, const KeyStream& stream,
                                                   uint32_t w) noexcept {
  if (w < 4) return _mm512_set1_epi32(static_cast<int>(planes.constant[w]));
  return w == 13 ? _mm512_setzero_si512() : _mm512_load_si512(stream.word[w]);
}

/// Turns 4 words of 16 blocks into 4 registers: quarter q of out[i] is those words of block 4q + i.
[[gnu::always_inline]] inline void transpose_words(const __m512i* v, __m512i* out) noexcept {
  const __m512i low01 = _mm512_unpacklo_epi32(v[0], v[1]);
  const __m512i high01 = _mm512_unpackhi_epi32(v[0], v[1]);
  const __m512i low23 = _mm512_unpacklo_epi32(v[2], v[3]);
  const __m512i high23 = _mm512_unpackhi_epi32(v[2], v[3]);
  out[0] = _mm512_unpacklo_epi64(low01, low23);
  out[1] = _mm512_unpackhi_epi64(low01, low23);
  out[2] = _mm512_unpacklo_epi64(high01, high23);
  out[3] = _mm512_unpackhi_epi64(high01, high23);
}

/// What there is to do for a set once its key stream is there.
enum class Finish {
  kNone,   // it is all keys
  kWhole,  // 16 whole blocks
  kMasked  // some are partial, keys, or none at all
};

/// XORs `row`, the key stream of one job; a mask keeps loads and stores within the text.
template <Finish kFinish>
[[gnu::always_inline]] inline void xor_row(const Plan& plan, uint32_t job, __m512i row) noexcept {
  if (kFinish == Finish::kMasked && !is_text(plan, job)) return;
  auto* text = reinterpret_cast<void*>(text_of(plan, job));  // NOLINT
  if constexpr (kFinish == Finish::kWhole) {
    _mm512_storeu_si512(text, _mm512_xor_si512(row, _mm512_loadu_si512(text)));
  } else {
    const __mmask64 mask = ~uint64_t{0} >> (kBlockBytes - bytes_of(plan, job));
    const __m512i old = _mm512_maskz_loadu_epi8(mask, text);
    _mm512_mask_storeu_epi8(text, mask, _mm512_xor_si512(row, old));
  }
}

/// Gathers the quarters of blocks i, i + 4, i + 8, i + 12 and XORs them into their texts.
template <Finish kFinish>
[[gnu::always_inline]] inline void xor_rows(const KeyStream& quarters, uint32_t i, const Plan& plan,
                                            uint32_t first) noexcept {
  const __m512i a = _mm512_load_si512(quarters.word[i]);
  const __m512i b = _mm512_load_si512(quarters.word[4 + i]);
  const __m512i c = _mm512_load_si512(quarters.word[8 + i]);
  const __m512i d = _mm512_load_si512(quarters.word[12 + i]);
  const __m512i ab_even = _mm512_shuffle_i32x4(a, b, 0x88);
  const __m512i ab_odd = _mm512_shuffle_i32x4(a, b, 0xdd);
  const __m512i cd_even = _mm512_shuffle_i32x4(c, d, 0x88);
  const __m512i cd_odd = _mm512_shuffle_i32x4(c, d, 0xdd);
  xor_row<kFinish>(plan, first + i, _mm512_shuffle_i32x4(ab_even, cd_even, 0x88));
  xor_row<kFinish>(plan, first + i + 4, _mm512_shuffle_i32x4(ab_odd, cd_odd, 0x88));
  xor_row<kFinish>(plan, first + i + 8, _mm512_shuffle_i32x4(ab_even, cd_even, 0xdd));
  xor_row<kFinish>(plan, first + i + 12, _mm512_shuffle_i32x4(ab_odd, cd_odd, 0xdd));
}

[[gnu::always_inline]] inline void transpose_in_place(KeyStream& stream, uint32_t quad) noexcept {
  __m512i word[4], quarter[4];
#pragma GCC unroll 4
  for (uint32_t w = 0; w < 4; ++w) word[w] = _mm512_load_si512(stream.word[4 * quad + w]);
  transpose_words(word, quarter);
#pragma GCC unroll 4
  for (uint32_t w = 0; w < 4; ++w) _mm512_store_si512(stream.word[4 * quad + w], quarter[w]);
}

constexpr uint32_t kFinishParts = 8;

/// One of the kFinishParts parts, in order, of turning a key stream into blocks and XORing them.
template <Finish kFinish>
[[gnu::always_inline]] inline void finish_part(KeyStream& stream, const Plan& plan, uint32_t first,
                                               uint32_t part) noexcept {
  if (part < 4) {
    transpose_in_place(stream, part);
  } else if (part < kFinishParts) {
    xor_rows<kFinish>(stream, part - 4, plan, first);
  }
}

template <Finish kFinish>
void finish_set(KeyStream& stream, const Plan& plan, uint32_t first) noexcept {
#pragma GCC unroll 8
  for (uint32_t part = 0; part < kFinishParts; ++part) {
    finish_part<kFinish>(stream, plan, first, part);
  }
}

/// The rounds for one set, and after each double round a part of what is left of the one before;
/// then its memory takes what the next set begins with.
template <Finish kFinish>
void run_rounds(const KeyPlanes& planes, const Plan& plan, uint32_t first, KeyStream& stream,
                KeyStream& other) noexcept {
  __m512i v[kWords];
#pragma GCC unroll 16
  for (uint32_t w = 0; w < kWords; ++w) v[w] = initial_word(planes, stream, w);
  asm volatile("" ::: "memory");
#pragma GCC unroll 10
  for (uint32_t i = 0; i < kDoubleRounds; ++i) {
    double_round(v);
    if constexpr (kFinish != Finish::kNone) finish_part<kFinish>(other, plan, first - kLanes, i);
    if (i == kFinishParts) prepare(planes, plan, first + kLanes, other);
  }
#pragma GCC unroll 16
  for (uint32_t w = 0; w < kWords; ++w) {
    _mm512_store_si512(stream.word[w], _mm512_add_epi32(v[w], initial_word(planes, stream, w)));
  }
}

Finish finish_for(const Plan& plan, uint32_t first) noexcept {
  if (all_whole(plan, first, kLanes)) return Finish::kWhole;
  return first + kLanes > plan.packets ? Finish::kMasked : Finish::kNone;
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

void chacha20_load_avx512(const Plan& plan, KeyPlanes& planes, KeyStream& stream) noexcept {
  static constexpr uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (uint32_t w = 0; w < 4; ++w) planes.constant[w] = kConstants[w];
  for (uint32_t first = 0; first < plan.packets; first += kLanes) {
    const uint32_t rest = plan.packets - first;
    load_keys(plan.key + first, rest < kLanes ? rest : kLanes, planes, first);
  }
  prepare(planes, plan, 0, stream);
}

void chacha20_avx512(const KeyPlanes& planes, const Plan& plan, uint32_t first, KeyStream& stream,
                     KeyStream& other) noexcept {
  switch (first == 0 ? Finish::kNone : finish_for(plan, first - kLanes)) {
    case Finish::kNone:
      return run_rounds<Finish::kNone>(planes, plan, first, stream, other);
    case Finish::kWhole:
      return run_rounds<Finish::kWhole>(planes, plan, first, stream, other);
    case Finish::kMasked:
      return run_rounds<Finish::kMasked>(planes, plan, first, stream, other);
  }
}

void chacha20_finish_avx512(const Plan& plan, uint32_t first, KeyStream& stream) noexcept {
  switch (finish_for(plan, first)) {
    case Finish::kNone:
      return;
    case Finish::kWhole:
      return finish_set<Finish::kWhole>(stream, plan, first);
    case Finish::kMasked:
      return finish_set<Finish::kMasked>(stream, plan, first);
  }
}

void chacha20_keys_avx512(const KeyStream& stream, uint32_t first, PolyKeys& keys) noexcept {
  for (uint32_t w = 0; w < kKeyWords; ++w) {
    _mm512_store_si512(keys.word[w] + first, _mm512_load_si512(stream.word[w]));
  }
}

}  // namespace wirelay::crypto::lanes
