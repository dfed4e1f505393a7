// ChaCha20 in 16 lanes; chacha20_avx512.h draws them. Built for AVX-512 F, BW: call nothing here
// before cpu.h says that the processor has them.
#include "crypto/lanes/chacha20_avx512.h"

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

constexpr uint32_t kLanes = 16;
constexpr uint32_t kWords = 16;
constexpr uint32_t kRounds = 20;

/// A row of the state, begun `shift` words further on.
struct Row {
  uint32_t row, shift;
  constexpr uint32_t operator[](uint32_t i) const noexcept { return 4 * row + (i + shift) % 4; }
};

/// A quarter of four quarter rounds. What is written here in order stays in order: groups of six
/// instructions, which go to ports together, then have two rotations each, and neither port gets
/// more than its share.
template <int kBits>
[[gnu::always_inline]] inline void step(__m512i (&v)[kWords], Row sum, Row add,
                                        Row turned) noexcept {
#pragma GCC unroll 4
  for (uint32_t i = 0; i < 4; ++i) {
    __m512i& a = v[sum[i]];
    __m512i& d = v[turned[i]];
    a = _mm512_add_epi32(a, v[add[i]]);
    d = _mm512_rol_epi32(_mm512_xor_si512(d, a), kBits);
  }
}

/// One word for each lane: that of packet `packet[lane]`.
[[gnu::always_inline]] inline __m512i pick(const uint32_t (&plane)[kPlanPackets],
                                           __m512i packet) noexcept {
  return _mm512_permutex2var_epi32(_mm512_load_si512(plane), packet,
                                   _mm512_load_si512(plane + kLanes));
}

constexpr uint32_t kPrepareSteps = 11;

/// Writes the words of the initial state that are not the same in all lanes, one a step.
/// Permutations read 5 bits of a job: its packet.
[[gnu::always_inline]] inline void prepare_step(const KeyPlanes& planes, const Plan& plan,
                                                __m512i job, uint32_t step,
                                                KeyStream& stream) noexcept {
  if (step < kKeyWords) {
    _mm512_store_si512(stream.word[4 + step], pick(planes.key[step], job));
  } else if (step < kKeyWords + 2) {
    const uint32_t half = step - kKeyWords;
    _mm512_store_si512(stream.word[14 + half], pick(plan.counter[half], job));
  } else if (step < kPrepareSteps) {
    _mm512_store_si512(stream.word[12], _mm512_srli_epi32(job, kJobNumberShift));
  }
}

/// The initial state of a prepared set: word w of all lanes. Read from memory at the begin and at
/// the end of the rounds: 16 registers more would go to the stack, where keys must not stay.
[[gnu::always_inline]] inline __m512i initial_word(const KeyPlanes& planes, const KeyStream& stream,
                                                   uint32_t w) noexcept {
  if (w < 4) return _mm512_set1_epi32(static_cast<int>(planes.constant[w]));
  return w == 13 ? _mm512_setzero_si512() : _mm512_load_si512(stream.word[w]);
}

/// Turns 4 words of 16 blocks into 4 registers: quarter q of the i-th is those words of block
/// 4q + i. In 8 steps.
[[gnu::always_inline]] inline void transpose_step(uint32_t (*word)[kMaxLanes], uint32_t step,
                                                  __m512i (&held)[4]) noexcept {
  if (step < 4) {
    const __m512i a = _mm512_load_si512(word[step & 2]),
                  b = _mm512_load_si512(word[(step & 2) + 1]);
    held[step] = step % 2 == 0 ? _mm512_unpacklo_epi32(a, b) : _mm512_unpackhi_epi32(a, b);
  } else {
    const uint32_t half = step / 2 % 2;
    const __m512i a = held[half], b = held[half + 2];
    _mm512_store_si512(word[step - 4],
                       step % 2 == 0 ? _mm512_unpacklo_epi64(a, b) : _mm512_unpackhi_epi64(a, b));
  }
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

/// Gathers the quarters of blocks i, i + 4, i + 8, i + 12 and XORs them into their texts. In 8
/// steps.
template <Finish kFinish>
[[gnu::always_inline]] inline void xor_step(const KeyStream& quarters, uint32_t i, const Plan& plan,
                                            uint32_t first, uint32_t step,
                                            __m512i (&held)[4]) noexcept {
  constexpr int kEven = 0x88, kOdd = 0xdd;
  if (step < 4) {
    const uint32_t pair = 8 * (step / 2) + i;
    const __m512i a = _mm512_load_si512(quarters.word[pair]);
    const __m512i b = _mm512_load_si512(quarters.word[pair + 4]);
    held[step] =
        step % 2 == 0 ? _mm512_shuffle_i32x4(a, b, kEven) : _mm512_shuffle_i32x4(a, b, kOdd);
  } else {
    const uint32_t row = step - 4;
    const __m512i a = held[row % 2], b = held[row % 2 + 2];
    xor_row<kFinish>(
        plan, first + 4 * row + i,
        row < 2 ? _mm512_shuffle_i32x4(a, b, kEven) : _mm512_shuffle_i32x4(a, b, kOdd));
  }
}

/// What is left to do for a set once its key stream is there, in kFinishSteps steps of one shuffle
/// each, so that it can be strewn among the rounds of the next.
constexpr uint32_t kFinishSteps = 64;

template <Finish kFinish>
[[gnu::always_inline]] inline void finish_step(KeyStream& stream, const Plan& plan, uint32_t first,
                                               uint32_t step, __m512i (&held)[4]) noexcept {
  const uint32_t part = step / 8 % 4, at = step % 8;
  if (step < kFinishSteps / 2) {
    transpose_step(stream.word + size_t{4} * part, at, held);
  } else {
    xor_step<kFinish>(stream, part, plan, first, at, held);
  }
}

template <Finish kFinish>
void finish_set(KeyStream& stream, const Plan& plan, uint32_t first) noexcept {
  __m512i held[4];
#pragma GCC unroll 64
  for (uint32_t step = 0; step < kFinishSteps; ++step) {
    finish_step<kFinish>(stream, plan, first, step, held);
  }
}

/// The rounds for one set, and after each step of them a step of what is left of the one before;
/// then its memory takes what the next set begins with. `keys` takes the set, if it is all keys.
template <Finish kFinish, bool kAllKeys>
void run_rounds(const KeyPlanes& planes, const Plan& plan, uint32_t first, KeyStream& stream,
                KeyStream& other, PolyKeys& keys) noexcept {
  __m512i v[kWords], held[4];
#pragma GCC unroll 16
  for (uint32_t w = 0; w < kWords; ++w) v[w] = initial_word(planes, stream, w);
  asm volatile("" ::: "memory");
  const __m512i job = _mm512_loadu_si512(plan.job + first + kLanes);
  const auto between = [&](uint32_t step) {
    if (step >= kFinishSteps) return prepare_step(planes, plan, job, step - kFinishSteps, other);
    if constexpr (kFinish == Finish::kNone) return;
    finish_step<kFinish>(other, plan, first - kLanes, step, held);
  };
#pragma GCC unroll 20
  for (uint32_t round = 0; round < kRounds; ++round) {
    const uint32_t shift = round % 2;  // columns, diagonals
    const Row a{0, 0}, b{1, shift}, c{2, 2 * shift}, d{3, 3 * shift};
    step<16>(v, a, b, d);
    between(4 * round);
    step<12>(v, c, d, b);
    between(4 * round + 1);
    step<8>(v, a, b, d);
    between(4 * round + 2);
    step<7>(v, c, d, b);
    between(4 * round + 3);
  }
#pragma GCC unroll 16
  for (uint32_t w = 0; w < (kAllKeys ? kKeyWords : kWords); ++w) {
    _mm512_store_si512(kAllKeys ? keys.word[w] + first : stream.word[w],
                       _mm512_add_epi32(v[w], initial_word(planes, stream, w)));
  }
}

Finish finish_for(const Plan& plan, uint32_t first) noexcept {
  if (all_whole(plan, first, kLanes)) return Finish::kWhole;
  return first + kLanes > plan.packets ? Finish::kMasked : Finish::kNone;
}

/// Turns up to 16 keys into 8 planes, with the steps of finish_step() run the other way round:
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
    // A 4x4 transpose within quarters is its own inverse: word w of block 4q + i is now at lane
    // 4q + i of word[w].
    const __m512i* v = half[h];
    const __m512i low01 = _mm512_unpacklo_epi32(v[0], v[1]);
    const __m512i high01 = _mm512_unpackhi_epi32(v[0], v[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(v[2], v[3]);
    const __m512i high23 = _mm512_unpackhi_epi32(v[2], v[3]);
    auto* plane = &planes.key[size_t{4} * h];
    _mm512_store_si512(plane[0] + first, _mm512_unpacklo_epi64(low01, low23));
    _mm512_store_si512(plane[1] + first, _mm512_unpackhi_epi64(low01, low23));
    _mm512_store_si512(plane[2] + first, _mm512_unpacklo_epi64(high01, high23));
    _mm512_store_si512(plane[3] + first, _mm512_unpackhi_epi64(high01, high23));
  }
}

inline void take_keys(const KeyStream& stream, uint32_t first, PolyKeys& keys) noexcept {
  for (uint32_t w = 0; w < kKeyWords; ++w) {
    _mm512_store_si512(keys.word[w] + first, _mm512_load_si512(stream.word[w]));
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
  const __m512i job = _mm512_loadu_si512(plan.job);
  for (uint32_t step = 0; step < kPrepareSteps; ++step) {
    prepare_step(planes, plan, job, step, stream);
  }
}

void chacha20_avx512(const KeyPlanes& planes, const Plan& plan, uint32_t first, KeyStream& stream,
                     KeyStream& other, PolyKeys& keys) noexcept {
  if (first + kLanes <= plan.packets) {
    return run_rounds<Finish::kNone, true>(planes, plan, first, stream, other, keys);
  }
  switch (first == 0 ? Finish::kNone : finish_for(plan, first - kLanes)) {
    case Finish::kNone:
      run_rounds<Finish::kNone, false>(planes, plan, first, stream, other, keys);
      break;
    case Finish::kWhole:
      run_rounds<Finish::kWhole, false>(planes, plan, first, stream, other, keys);
      break;
    case Finish::kMasked:
      run_rounds<Finish::kMasked, false>(planes, plan, first, stream, other, keys);
      break;
  }
  if (first < plan.packets) take_keys(stream, first, keys);
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

}  // namespace wirelay::crypto::lanes
