// Arithmetic modulo 2^255 - 19 in 4 lanes of AVX2, for x25519_avx2.cc alone: ten limbs of 26 and 25
// bits in turn, each in 64. Internal linkage, so that no other file ends up with code for this
// processor. It has the same parts as curve_field_ifma.h.
//
// Why nothing overflows. A multiplication takes the low 32 bits of both factors and gives 64. With
// B(i) = 2^26 for even limbs and 2^25 for odd ones, and e = 1 + 2^-9:
//
//   reduced   below e B(i): products, and what carry() gives of sums that are below 2^29
//   Factor    below 3 e B(i): what is reduced, and sums and differences of two of these
//   Sum       below 2^45
//
//   19 times a limb of a factor is below 57 e 2^26 < 2^31.9, and 4 times an odd one below 2^28.7.
//   Limb k of a product adds up f(i) g(j) with i + j = k, and 19 f(i) g(j) with i + j = k + 10,
//   each twice where i and j are odd; that is below 9 e^2 2^52 where both are even and half of it
//   otherwise. Limb 0, the largest, is below 9 e^2 2^52 (1 + 19 (4 + 5 / 2)) < 2^62.2.
//   Its carry goes along two chains at once; what comes around from limb 9 is below 19 * 2^37.3, so
//   that limb 0 then carries less than 2^16.
//   subtract() adds 2 p, with limbs of 2 B(i) - 38 and more, and takes away what is reduced.
//   carry() of a sum below 2^29 carries less than 2^4, and 19 * 2^4 < 2^9 around; of one below
//   2^45, as multiply_add_small() gives, less than 2^20, and 19 * 2^20 < 2^24.3 around: a factor
//   still.
#pragma once

#include <cstdint>
#include <cstring>

#include <immintrin.h>

// Vectors never leave the file that includes this: there is no ABI to warn of.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace wirelay::crypto::lanes {

namespace {

constexpr int kLanes = 4;
constexpr int kLimbs = 10;
constexpr uint64_t kWrap = 19;  // 2^255 mod p

constexpr int bits_of(int limb) noexcept { return limb % 2 == 0 ? 26 : 25; }
/// Where a limb begins.
constexpr int bit_of(int limb) noexcept { return (51 * limb + 1) / 2; }
constexpr uint64_t mask_of(int limb) noexcept { return (uint64_t{1} << bits_of(limb)) - 1; }

using Vector = __m256i;
using Mask = __m256i;  // all bits of a lane

struct Factor {
  Vector limb[kLimbs];
};

struct Sum {
  Vector limb[kLimbs];
};

[[gnu::always_inline]] inline __m256i all(uint64_t value) noexcept {
  return _mm256_set1_epi64x(static_cast<long long>(value));
}

/// 0 or 1.
[[gnu::always_inline]] inline Factor number(uint64_t small) noexcept {
  Factor out{};
  out.limb[0] = all(small);
  return out;
}

/// A factor counts as a sum without more ado.
[[gnu::always_inline]] inline Sum to_sum(const Factor& a) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = a.limb[i];
  return out;
}

/// A product, or the sum or difference of two, is a factor as it is.
[[gnu::always_inline]] inline Factor carry_two(const Sum& a) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = a.limb[i];
  return out;
}

[[gnu::always_inline]] inline Factor carry(const Sum& a) noexcept {
  __m256i above[kLimbs];
  for (int i = 0; i < kLimbs; ++i) above[i] = _mm256_srli_epi64(a.limb[i], bits_of(i));
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    const __m256i from = i == 0 ? _mm256_mul_epu32(above[kLimbs - 1], all(kWrap)) : above[i - 1];
    out.limb[i] = _mm256_add_epi64(_mm256_and_si256(a.limb[i], all(mask_of(i))), from);
  }
  return out;
}

[[gnu::always_inline]] inline Sum add(const Sum& a, const Sum& b) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_add_epi64(a.limb[i], b.limb[i]);
  return out;
}

[[gnu::always_inline]] inline Sum subtract(const Sum& a, const Sum& b) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) {
    const __m256i bias = all((i == 0 ? mask_of(i) - 18 : mask_of(i)) * 2);
    out.limb[i] = _mm256_sub_epi64(_mm256_add_epi64(a.limb[i], bias), b.limb[i]);
  }
  return out;
}

/// `b` where `take_b` has a bit.
[[gnu::always_inline]] inline Factor blend(const Factor& a, const Factor& b, Mask take_b) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_blendv_epi8(a.limb[i], b.limb[i], take_b);
  return out;
}

/// What is above its bits goes from one limb to the next, from the last one 19 times to the first.
template <int kFrom>
[[gnu::always_inline]] inline void pass_on(Sum& sum) noexcept {
  const __m256i above = _mm256_srli_epi64(sum.limb[kFrom], bits_of(kFrom));
  sum.limb[kFrom] = _mm256_and_si256(sum.limb[kFrom], all(mask_of(kFrom)));
  __m256i& to = sum.limb[(kFrom + 1) % kLimbs];
  to = _mm256_add_epi64(to, above);
  if constexpr (kFrom == kLimbs - 1) {  // it may have more than 32 bits
    to = _mm256_add_epi64(to, _mm256_slli_epi64(above, 1));
    to = _mm256_add_epi64(to, _mm256_slli_epi64(above, 4));
  }
}

[[gnu::always_inline]] inline void reduce(Sum& product) noexcept {
  pass_on<0>(product);
  pass_on<4>(product);
  pass_on<1>(product);
  pass_on<5>(product);
  pass_on<2>(product);
  pass_on<6>(product);
  pass_on<3>(product);
  pass_on<7>(product);
  pass_on<4>(product);
  pass_on<8>(product);
  pass_on<9>(product);
  pass_on<0>(product);
}

[[gnu::always_inline]] inline __m256i twice(__m256i a) noexcept { return _mm256_add_epi64(a, a); }

/// Limb by limb of `a`, so that the ten sums and what is multiplied stay in registers.
[[gnu::always_inline]] inline Sum multiply(const Factor& a, const Factor& b) noexcept {
  __m256i wrapped_b[kLimbs];
  for (int i = 1; i < kLimbs; ++i) wrapped_b[i] = _mm256_mul_epu32(b.limb[i], all(kWrap));
  Sum out{};
#pragma GCC unroll 10
  for (int i = 0; i < kLimbs; ++i) {
    const __m256i once = a.limb[i], both = twice(once);
#pragma GCC unroll 10
    for (int k = 0; k < kLimbs; ++k) {
      const __m256i left = i % 2 == 1 && k % 2 == 1 ? both : once;
      __m256i& sum = out.limb[(i + k) % kLimbs];
      sum =
          _mm256_add_epi64(sum, _mm256_mul_epu32(left, i + k >= kLimbs ? wrapped_b[k] : b.limb[k]));
    }
  }
  reduce(out);
  return out;
}

/// The products of different limbs count twice.
[[gnu::always_inline]] inline Sum square(const Factor& a) noexcept {
  __m256i wrapped[kLimbs];
  for (int i = 5; i < kLimbs; ++i) wrapped[i] = _mm256_mul_epu32(a.limb[i], all(kWrap));
  Sum out{};
#pragma GCC unroll 10
  for (int i = 0; i < kLimbs; ++i) {
    const __m256i once = a.limb[i], two = twice(once), four = twice(two);
#pragma GCC unroll 10
    for (int k = i; k < kLimbs; ++k) {
      const bool odd = i % 2 == 1 && k % 2 == 1;
      const __m256i left = i == k ? (odd ? two : once) : (odd ? four : two);
      __m256i& sum = out.limb[(i + k) % kLimbs];
      sum = _mm256_add_epi64(sum, _mm256_mul_epu32(left, i + k >= kLimbs ? wrapped[k] : a.limb[k]));
    }
  }
  reduce(out);
  return out;
}

/// sum + a * small, for a number below 2^17.
[[gnu::always_inline]] inline Sum multiply_add_small(const Sum& sum, const Factor& a,
                                                     uint64_t small) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) {
    out.limb[i] = _mm256_add_epi64(sum.limb[i], _mm256_mul_epu32(a.limb[i], all(small)));
  }
  return out;
}

/// The number itself, below p, of what is reduced; with limbs of their bits.
inline Factor freeze(const Factor& a) noexcept {
  const auto ripple = [](Factor x) {
    for (int i = 0; i + 1 < kLimbs; ++i) {
      x.limb[i + 1] = _mm256_add_epi64(x.limb[i + 1], _mm256_srli_epi64(x.limb[i], bits_of(i)));
      x.limb[i] = _mm256_and_si256(x.limb[i], all(mask_of(i)));
    }
    return x;
  };
  // Less than 2 p. It is p or more just when 19 more reach 2^255, and these 19 are then what is to
  // be added in place of taking p away.
  constexpr int kTop = kLimbs - 1;
  Factor more = a;
  more.limb[0] = _mm256_add_epi64(more.limb[0], all(kWrap));
  const __m256i quotient = _mm256_srli_epi64(ripple(more).limb[kTop], bits_of(kTop));
  Factor out = a;
  out.limb[0] = _mm256_add_epi64(out.limb[0], _mm256_mul_epu32(quotient, all(kWrap)));
  out = ripple(out);
  out.limb[kTop] = _mm256_and_si256(out.limb[kTop], all(mask_of(kTop)));
  return out;
}

/// Words of 64 bits of all lanes, side by side.
struct Words {
  Vector word[4];
};

[[gnu::always_inline]] inline Words load_words(const uint64_t (&word)[4][kLanes]) noexcept {
  Words out;
  for (int i = 0; i < 4; ++i) {
    out.word[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(&word[i][0]));
  }
  return out;
}

[[gnu::always_inline]] inline void store_words(const Words& words,
                                               uint64_t (&word)[4][kLanes]) noexcept {
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(&word[i][0]), words.word[i]);
  }
}

/// Bit `bit` of word `word` of each lane.
[[gnu::always_inline]] inline Mask test_bit(const Words& words, int word, unsigned bit) noexcept {
  const __m128i up = _mm_cvtsi32_si128(static_cast<int>(63 - bit));
  return _mm256_cmpgt_epi64(_mm256_setzero_si256(), _mm256_sll_epi64(words.word[word], up));
}

/// The low 255 bits.
[[gnu::always_inline]] inline Factor from_words(const Words& words) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    const int word = bit_of(i) / 64, shift = bit_of(i) % 64;
    __m256i bits = _mm256_srli_epi64(words.word[word], shift);
    if (shift + bits_of(i) > 64) {
      bits = _mm256_or_si256(bits, _mm256_slli_epi64(words.word[word + 1], 64 - shift));
    }
    out.limb[i] = _mm256_and_si256(bits, all(mask_of(i)));
  }
  return out;
}

/// Of what freeze() gives.
[[gnu::always_inline]] inline Words to_words(const Factor& frozen) noexcept {
  Words out{};
  for (int i = 0; i < kLimbs; ++i) {
    const int word = bit_of(i) / 64, shift = bit_of(i) % 64;
    out.word[word] = _mm256_or_si256(out.word[word], _mm256_slli_epi64(frozen.limb[i], shift));
    if (shift + bits_of(i) > 64) {
      out.word[word + 1] =
          _mm256_or_si256(out.word[word + 1], _mm256_srli_epi64(frozen.limb[i], 64 - shift));
    }
  }
  return out;
}

[[gnu::always_inline]] inline Mask is_zero(const Factor& frozen) noexcept {
  __m256i any = frozen.limb[0];
  for (int i = 1; i < kLimbs; ++i) any = _mm256_or_si256(any, frozen.limb[i]);
  return _mm256_cmpeq_epi64(any, _mm256_setzero_si256());
}

/// All lanes as lane `lane` is.
[[gnu::always_inline]] inline Factor spread(const Factor& a, int lane) noexcept {
  const __m256i order =
      _mm256_add_epi32(_mm256_set1_epi64x(int64_t{1} << 32), _mm256_set1_epi32(2 * lane));
  Factor out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = _mm256_permutevar8x32_epi32(a.limb[i], order);
  return out;
}

[[gnu::always_inline]] inline Mask no_lanes() noexcept { return _mm256_setzero_si256(); }
[[gnu::always_inline]] inline Mask all_lanes() noexcept { return _mm256_set1_epi64x(-1); }
[[gnu::always_inline]] inline Mask differ(Mask a, Mask b) noexcept {
  return _mm256_xor_si256(a, b);
}
/// Lanes from `first` on.
[[gnu::always_inline]] inline Mask lanes_from(int first) noexcept {
  return _mm256_cmpgt_epi64(_mm256_setr_epi64x(0, 1, 2, 3), _mm256_set1_epi64x(first - 1));
}

/// Eight numbers, of which each lane picks one in a time that does not tell which: a permutation.
struct Row {
  alignas(32) uint32_t limb[kLimbs][8];
};

/// Of as many as there are lanes, from number `first` on.
inline void store(Row& row, const Factor& numbers, int first) noexcept {
  for (int i = 0; i < kLimbs; ++i) {
    uint64_t limb[kLanes];
    std::memcpy(limb, &numbers.limb[i], sizeof limb);
    for (int lane = 0; lane < kLanes; ++lane) {
      row.limb[i][first + lane] = static_cast<uint32_t>(limb[lane]);
    }
  }
}

/// Digits from -8 to 8, one a lane, as what they are for picking.
struct Digits {
  Vector index;  // of size 1 to 8: 0 to 7
  Mask zero, negative;
};

[[gnu::always_inline]] inline Digits load_digits(const int8_t (&digit)[kLanes]) noexcept {
  int packed;
  std::memcpy(&packed, digit, sizeof packed);
  const __m256i value = _mm256_cvtepi8_epi64(_mm_cvtsi32_si128(packed));
  const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), value);
  const __m256i size = _mm256_sub_epi64(_mm256_xor_si256(value, negative), negative);
  return {_mm256_sub_epi64(size, all(1)), _mm256_cmpeq_epi64(value, _mm256_setzero_si256()),
          negative};
}

/// Something for digit 0.
[[gnu::always_inline]] inline Factor pick(const Row& row, const Digits& digits) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    const __m256i limbs = _mm256_load_si256(reinterpret_cast<const __m256i*>(&row.limb[i][0]));
    out.limb[i] =
        _mm256_and_si256(_mm256_permutevar8x32_epi32(limbs, digits.index), all(0xffffffff));
  }
  return out;
}

}  // namespace

}  // namespace wirelay::crypto::lanes
