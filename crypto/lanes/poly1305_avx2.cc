// Poly1305 in 4 lanes with 32-bit multiplication; poly1305_avx2.h draws them. Built for AVX2: call
// nothing here before cpu.h says that the processor has it.
//
// Why nothing overflows. A multiplication reads the low 32 bits of both factors.
//
//   message     m0 to m3 < 2^26   m4 <= 2^24 + (2^24 - 1) < 2^25
//   reduced     h0, h2, h3 < 2^26   h1 < 2^26 + 2^10   h4 < 2^26 + 2^8   (see reduce())
//   powers of r as reduced, and 5 r < 2^28.4
//   factors     h + m < 2^27.1
//
// A sum has 5 products of each of 4 blocks, of which one has h + m and three only m:
//   d < 5 * (2^27.1 + 3 * 2^26) * 2^28.4 < 2^59.1
#include "crypto/lanes/poly1305_avx2.h"

#include <cstring>

#include <immintrin.h>

namespace wirelay::crypto::lanes {

namespace {

constexpr int kLimbs = 5;
constexpr int kChunkBlocks = 4;
constexpr int64_t kBlock = 16;
constexpr int64_t kChunk = kBlock * kChunkBlocks;
constexpr uint64_t kMask26 = (1u << 26) - 1;
constexpr uint64_t kPadBit = 1u << 24;  // 2^128, as seen from the limb at 2^104

struct Limbs {
  __m256i l[kLimbs];
};

/// A power of r, with 5 r for what wraps: 2^130 = 5 (mod 2^130 - 5).
struct Power {
  Limbs r, r5;
};

inline __m256i set1(uint64_t value) noexcept {
  return _mm256_set1_epi64x(static_cast<long long>(value));
}

inline Limbs add(const Limbs& a, const Limbs& b) noexcept {
  Limbs sum;
  for (int i = 0; i < kLimbs; ++i) sum.l[i] = _mm256_add_epi64(a.l[i], b.l[i]);
  return sum;
}

inline Limbs split(__m256i low, __m256i high) noexcept {
  const __m256i mask = set1(kMask26);
  const __m256i middle = _mm256_or_si256(_mm256_srli_epi64(low, 52), _mm256_slli_epi64(high, 12));
  return {{_mm256_and_si256(low, mask), _mm256_and_si256(_mm256_srli_epi64(low, 26), mask),
           _mm256_and_si256(middle, mask), _mm256_and_si256(_mm256_srli_epi64(high, 14), mask),
           _mm256_srli_epi64(high, 40)}};
}

inline Power make_power(const Limbs& r) noexcept {
  Power p{r, {}};
  for (int i = 0; i < kLimbs; ++i) {
    p.r5.l[i] = _mm256_add_epi64(r.l[i], _mm256_slli_epi64(r.l[i], 2));
  }
  return p;
}

inline void multiply_add(Limbs& sum, const Limbs& a, const Power& p) noexcept {
  for (int i = 0; i < kLimbs; ++i) {
    for (int j = 0; j < kLimbs; ++j) {
      const int k = i + j;
      const __m256i factor = k < kLimbs ? p.r.l[j] : p.r5.l[j];
      __m256i& limb = sum.l[k < kLimbs ? k : k - kLimbs];
      limb = _mm256_add_epi64(limb, _mm256_mul_epu32(a.l[i], factor));
    }
  }
}

/// Two chains of carries at once, from limb 0 and from limb 3 around. The carry out of limb 4 is
/// below 2^33.2; five times that, with limb 0, carries below 2^10 into limb 1, which has passed on
/// its own carry by then. Limb 3 passes on twice, the second time below 2^8.
inline Limbs reduce(const Limbs& d) noexcept {
  const __m256i mask = set1(kMask26);
  const auto carry = [mask](__m256i& from, __m256i& to) {
    to = _mm256_add_epi64(to, _mm256_srli_epi64(from, 26));
    from = _mm256_and_si256(from, mask);
  };
  Limbs h = d;
  carry(h.l[0], h.l[1]);
  carry(h.l[3], h.l[4]);
  carry(h.l[1], h.l[2]);
  const __m256i top = _mm256_srli_epi64(h.l[4], 26);
  h.l[4] = _mm256_and_si256(h.l[4], mask);
  h.l[0] = _mm256_add_epi64(h.l[0], _mm256_add_epi64(top, _mm256_slli_epi64(top, 2)));
  carry(h.l[2], h.l[3]);
  carry(h.l[0], h.l[1]);
  carry(h.l[3], h.l[4]);
  return h;
}

inline Limbs multiply(const Limbs& a, const Power& p) noexcept {
  Limbs sum{};
  multiply_add(sum, a, p);
  return reduce(sum);
}

inline uint64_t key_half(const PolyKeys& keys, uint32_t packet, uint32_t word) noexcept {
  return keys.word[word][packet] | uint64_t{keys.word[word + 1][packet]} << 32;
}

/// One 64-bit word of each message.
template <class Word>
inline __m256i gather(const Word& word) noexcept {
  return _mm256_setr_epi64x(static_cast<long long>(word(0)), static_cast<long long>(word(1)),
                            static_cast<long long>(word(2)), static_cast<long long>(word(3)));
}

inline __m128i load_block(const uint8_t* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

/// Block q of four chunks: rows become columns.
inline Limbs load_blocks(const uint8_t* const (&chunk)[kPolyMessages], int q) noexcept {
  const auto pair = [&](int a, int b) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(load_block(chunk[a] + kBlock * q)),
                                   load_block(chunk[b] + kBlock * q), 1);
  };
  const __m256i row02 = pair(0, 2), row13 = pair(1, 3);
  return split(_mm256_unpacklo_epi64(row02, row13), _mm256_unpackhi_epi64(row02, row13));
}

/// The walk of 4 lanes over their chunks, which all end in the same step.
class Walk {
 public:
  explicit Walk(const PolyMessage (&messages)[kPolyMessages]) noexcept : messages_(messages) {
    for (uint32_t i = 0; i < kPolyMessages; ++i) {
      padded_[i] = (messages[i].bytes + kBlock - 1) / kBlock * kBlock;
      const int64_t chunks = (padded_[i] + kChunk - 1) / kChunk;
      if (chunks > steps_) steps_ = chunks;
    }
  }

  [[nodiscard]] int64_t steps() const noexcept { return steps_; }

  /// Sets `chunk` to each lane's chunk and `pad` to 2^128 for its blocks. A chunk that begins
  /// before the text or ends with a part of a block is copied with zeros around it; blocks before
  /// the text get no 2^128, so that they count as nothing.
  void load(int64_t step, const uint8_t* (&chunk)[kPolyMessages],
            __m256i (&pad)[kChunkBlocks]) noexcept {
    for (__m256i& bits : pad) bits = set1(kPadBit);
    for (uint32_t i = 0; i < kPolyMessages; ++i) {
      const int64_t offset = padded_[i] - (step + 1) * kChunk;
      if (offset >= 0 && offset + kChunk <= messages_[i].bytes) {
        chunk[i] = messages_[i].text + offset;
        continue;
      }
      copy_part(i, offset, pad);
      chunk[i] = part_[i];
    }
  }

 private:
  void copy_part(uint32_t lane, int64_t offset, __m256i (&pad)[kChunkBlocks]) noexcept {
    const int64_t skip = offset >= 0 ? 0 : offset > -kChunk ? -offset : kChunk;
    const int64_t rest = messages_[lane].bytes - offset;
    const int64_t end = rest < kChunk ? rest : kChunk;
    std::memset(part_[lane], 0, kChunk);
    if (skip < end) {
      std::memcpy(part_[lane] + skip, messages_[lane].text + (offset + skip),
                  static_cast<size_t>(end - skip));
    }
    alignas(32) uint64_t bits[4];
    for (int q = 0; q < kChunkBlocks; ++q) {
      if (skip <= kBlock * q) continue;
      _mm256_store_si256(reinterpret_cast<__m256i*>(bits), pad[q]);
      bits[lane] = 0;
      pad[q] = _mm256_load_si256(reinterpret_cast<const __m256i*>(bits));
    }
  }

  const PolyMessage (&messages_)[kPolyMessages];
  int64_t padded_[kPolyMessages];
  int64_t steps_ = 0;
  alignas(32) uint8_t part_[kPolyMessages][kChunk];  // ciphertext, not secret
};

/// h becomes (h + m0) r^4 + m1 r^3 + m2 r^2 + m3 r.
inline Limbs add_chunk(const Limbs& h, const uint8_t* const (&chunk)[kPolyMessages],
                       const __m256i (&pad)[kChunkBlocks],
                       const Power (&powers)[kChunkBlocks]) noexcept {
  Limbs sum{};
  for (int q = kChunkBlocks - 1; q >= 0; --q) {
    Limbs m = load_blocks(chunk, q);
    m.l[4] = _mm256_or_si256(m.l[4], pad[q]);
    if (q == 0) m = add(m, h);
    multiply_add(sum, m, powers[kChunkBlocks - 1 - q]);
  }
  return reduce(sum);
}

__extension__ using Wide = unsigned __int128;

/// tag = (h mod 2^130 - 5) + s mod 2^128 of one lane, whose limbs are those of reduce().
inline void finish(const uint64_t (&h)[kLimbs], uint64_t s_low, uint64_t s_high,
                   uint64_t (&tag)[2]) noexcept {
  Wide low = Wide{h[0]} + (Wide{h[1]} << 26) + (Wide{h[2]} << 52);    // below 2^79
  Wide high = (low >> 64) + (Wide{h[3]} << 14) + (Wide{h[4]} << 40);  // from 2^64 on
  // The top can be above 2^130 only by the carry that reduce() left in limb 4: fold it once.
  const auto top = static_cast<uint64_t>(high >> 66);
  low = Wide{static_cast<uint64_t>(low)} + 5 * top;
  high = (high & ((Wide{1} << 66) - 1)) + (low >> 64);
  const auto h0 = static_cast<uint64_t>(low);
  const Wide g0 = Wide{h0} + 5;
  const Wide g1 = high + (g0 >> 64);
  const uint64_t take = uint64_t{0} - static_cast<uint64_t>(g1 >> 66);  // h + 5 reaches 2^130
  const uint64_t t0 = (h0 & ~take) | (static_cast<uint64_t>(g0) & take);
  const uint64_t t1 = (static_cast<uint64_t>(high) & ~take) | (static_cast<uint64_t>(g1) & take);
  const Wide sum = Wide{t0} + s_low;
  tag[0] = static_cast<uint64_t>(sum);
  tag[1] = t1 + s_high + static_cast<uint64_t>(sum >> 64);
}

}  // namespace

void poly1305_avx2(const PolyKeys& keys, const PolyMessage (&messages)[kPolyMessages],
                   uint64_t (*tags)[2]) noexcept {
  const auto key = [&](uint32_t lane, uint32_t word) {
    return key_half(keys, messages[lane].packet, word);
  };
  const __m256i r_low = gather([&](uint32_t i) { return key(i, 0) & 0x0ffffffc0fffffff; });
  const __m256i r_high = gather([&](uint32_t i) { return key(i, 2) & 0x0ffffffc0ffffffc; });
  Power powers[kChunkBlocks];
  powers[0] = make_power(split(r_low, r_high));
  for (int n = 1; n < kChunkBlocks; ++n) {
    const int a = (n - 1) / 2, b = n - 1 - a;  // r^(n + 1) = r^(a + 1) r^(b + 1)
    powers[n] = make_power(multiply(powers[a].r, powers[b]));
  }
  Walk walk(messages);
  Limbs h{};
  for (int64_t step = walk.steps() - 1; step >= 0; --step) {
    const uint8_t* chunk[kPolyMessages];
    __m256i pad[kChunkBlocks];
    walk.load(step, chunk, pad);
    h = add_chunk(h, chunk, pad, powers);
  }
  Limbs closing = split(gather([&](uint32_t i) { return messages[i].closing[0]; }),
                        gather([&](uint32_t i) { return messages[i].closing[1]; }));
  closing.l[4] = _mm256_or_si256(closing.l[4], set1(kPadBit));
  h = multiply(add(h, closing), powers[0]);
  alignas(32) uint64_t limb[kLimbs][kPolyMessages];
  for (int i = 0; i < kLimbs; ++i) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(limb[i]), h.l[i]);
  }
  for (uint32_t i = 0; i < kPolyMessages; ++i) {
    const uint64_t lane[kLimbs] = {limb[0][i], limb[1][i], limb[2][i], limb[3][i], limb[4][i]};
    finish(lane, key(i, 4), key(i, 6), tags[i]);
  }
}

}  // namespace wirelay::crypto::lanes
