// ChaCha20 in 8 lanes; see chacha20_avx2.h. Built for AVX2: call nothing here before cpu.h says
// that the processor has it.
#include "crypto/lanes/chacha20_avx2.h"

#include <cstring>

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

constexpr uint32_t kLanes = 8;
constexpr uint32_t kWords = 16;
constexpr int kDoubleRounds = 10;

inline __m256i load(const void* at) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

inline void store(void* at, __m256i value) noexcept {
  _mm256_storeu_si256(static_cast<__m256i*>(at), value);
}

inline __m256i rotate16(__m256i x) noexcept {
  const __m256i bytes = _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3,
                                         0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return _mm256_shuffle_epi8(x, bytes);
}

inline __m256i rotate8(__m256i x) noexcept {
  const __m256i bytes = _mm256_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14, 3, 0,
                                         1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
  return _mm256_shuffle_epi8(x, bytes);
}

template <int kBits>
inline __m256i rotate(__m256i x) noexcept {
  return _mm256_or_si256(_mm256_slli_epi32(x, kBits), _mm256_srli_epi32(x, 32 - kBits));
}

inline void quarter_round(__m256i& a, __m256i& b, __m256i& c, __m256i& d) noexcept {
  a = _mm256_add_epi32(a, b);
  d = rotate16(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate<12>(_mm256_xor_si256(b, c));
  a = _mm256_add_epi32(a, b);
  d = rotate8(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate<7>(_mm256_xor_si256(b, c));
}

inline void double_round(__m256i (&v)[kWords]) noexcept {
  quarter_round(v[0], v[4], v[8], v[12]);
  quarter_round(v[1], v[5], v[9], v[13]);
  quarter_round(v[2], v[6], v[10], v[14]);
  quarter_round(v[3], v[7], v[11], v[15]);
  quarter_round(v[0], v[5], v[10], v[15]);
  quarter_round(v[1], v[6], v[11], v[12]);
  quarter_round(v[2], v[7], v[8], v[13]);
  quarter_round(v[3], v[4], v[9], v[14]);
}

/// Rows of 8 words become columns: out[w] has word w of all rows.
inline void transpose(const __m256i (&row)[8], __m256i (&out)[8]) noexcept {
  __m256i pair[8], quad[8];
  for (int i = 0; i < 8; i += 2) {
    pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
    pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    quad[i] = _mm256_unpacklo_epi64(pair[i], pair[i + 2]);
    quad[i + 1] = _mm256_unpackhi_epi64(pair[i], pair[i + 2]);
    quad[i + 2] = _mm256_unpacklo_epi64(pair[i + 1], pair[i + 3]);
    quad[i + 3] = _mm256_unpackhi_epi64(pair[i + 1], pair[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    out[i] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x20);
    out[i + 4] = _mm256_permute2x128_si256(quad[i], quad[i + 4], 0x31);
  }
}

/// One word of each lane's packet.
inline __m256i gather(const uint32_t (&word)[kPlanPackets],
                      const uint32_t (&packet)[kLanes]) noexcept {
  const auto at = [&](uint32_t lane) { return static_cast<int>(word[packet[lane]]); };
  return _mm256_setr_epi32(at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7));
}

inline void initial_state(const Plan& plan, uint32_t first, __m256i (&v)[kWords]) noexcept {
  v[0] = _mm256_set1_epi32(0x61707865);
  v[1] = _mm256_set1_epi32(0x3320646e);
  v[2] = _mm256_set1_epi32(0x79622d32);
  v[3] = _mm256_set1_epi32(0x6b206574);
  uint32_t packet[kLanes];
  __m256i key[kLanes], word[kKeyWords];
  for (uint32_t i = 0; i < kLanes; ++i) {
    const uint32_t job = first + i < plan.jobs ? first + i : 0;
    packet[i] = plan.job[job] % kPlanPackets;
    key[i] = load(plan.key[packet[i]]);
  }
  transpose(key, word);
  for (uint32_t w = 0; w < kKeyWords; ++w) v[4 + w] = word[w];
  v[12] = _mm256_srli_epi32(load(plan.job + first), kJobNumberShift);
  v[13] = _mm256_setzero_si256();
  v[14] = gather(plan.counter[0], packet);
  v[15] = gather(plan.counter[1], packet);
}

/// For the last block of a text, which may end anywhere: nothing behind `bytes` is touched.
inline void xor_part(uint8_t* text, const uint8_t* stream, uint32_t bytes) noexcept {
  uint32_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    uint64_t a, b;
    std::memcpy(&a, text + at, 8);
    std::memcpy(&b, stream + at, 8);
    a ^= b;
    std::memcpy(text + at, &a, 8);
  }
  for (; at < bytes; ++at) text[at] = static_cast<uint8_t>(text[at] ^ stream[at]);
}

}  // namespace

void chacha20_avx2(const Plan& plan, uint32_t first, KeyStream& stream) noexcept {
  __m256i v[kWords];
  initial_state(plan, first, v);
  for (uint32_t w = 0; w < kWords; ++w) store(stream.word[w], v[w]);
  asm volatile("" ::: "memory");  // read back at the end; registers are too few to keep them
  for (int i = 0; i < kDoubleRounds; ++i) double_round(v);
  for (uint32_t w = 0; w < kWords; ++w) {
    store(stream.word[w], _mm256_add_epi32(v[w], load(stream.word[w])));
  }
}

void chacha20_finish_avx2(const Plan& plan, uint32_t first, KeyStream& stream) noexcept {
  if (first + kLanes <= plan.packets) return;  // all keys
  // Row i of the two halves ends up where the words of lanes were: 8 words in stream.word[i] and 8
  // in stream.word[8 + i].
  for (uint32_t half = 0; half < 2; ++half) {
    __m256i word[8], row[8];
    for (uint32_t w = 0; w < 8; ++w) word[w] = load(stream.word[8 * half + w]);
    transpose(word, row);
    const uint32_t begin = 32 * half;
    for (uint32_t i = 0; i < kLanes; ++i) {
      const uint32_t job = first + i;
      if (!is_text(plan, job)) continue;
      const uint32_t bytes = bytes_of(plan, job);
      if (bytes <= begin) continue;
      auto* text = reinterpret_cast<uint8_t*>(text_of(plan, job)) + begin;  // NOLINT
      if (bytes >= begin + 32) {
        store(text, _mm256_xor_si256(load(text), row[i]));
      } else {
        store(stream.word[8 * half + i], row[i]);
        xor_part(text, reinterpret_cast<const uint8_t*>(stream.word[8 * half + i]), bytes - begin);
      }
    }
  }
}

void chacha20_keys_avx2(const KeyStream& stream, uint32_t first, PolyKeys& keys) noexcept {
  for (uint32_t w = 0; w < kKeyWords; ++w) store(keys.word[w] + first, load(stream.word[w]));
}

}  // namespace wirelay::crypto::lanes
