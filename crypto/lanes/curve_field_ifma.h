// Arithmetic modulo 2^255 - 19 in 8 lanes of AVX-512 IFMA, for x25519_ifma.cc alone: five limbs of
// 51 bits. Internal linkage, so that no other file ends up with code for this processor.
//
// Why nothing overflows. Multiply-add reads the low 52 bits of both factors and adds the low or the
// high 52 bits of their product to a 64-bit sum. What may be a factor is therefore a type of its
// own, and sums, which may not, become factors by a carry:
//
//   Factor   every limb below 2^51 + 2^15
//   Sum      every limb below 2^61
//
//   A product of limbs is below (2^51 + 2^15)^2, so that its high part is below 2^50.01. In units
//   of 2^52, column k of a product of factors has n(k) low parts, each below 1, and n(k - 1) high
//   parts, which count twice, for 2^52 is twice the weight of the next limb: together below 0.502.
//   n = 1 2 3 4 5 4 3 2 1 for columns 0 to 8. Columns from 5 on wrap with 19, as 2^255 = 19:
//     limb 0   1       + 19 * (4 + 5 / 2) < 124.8    limb 3   4 + 3 / 2 + 19 * (1 + 2 / 2) < 43.7
//     limb 1   2 + 1/2 + 19 * (3 + 4 / 2) < 97.8     limb 4   5 + 4 / 2 + 19 * (0 + 1 / 2) < 16.6
//     limb 2   3 + 2/2 + 19 * (2 + 3 / 2) < 70.7
//   A product is thus below 124.8 * 2^52 < 2^59 in every limb. No column from 5 on is above 6.6,
//   so that 19 times it fits as well.
//   subtract() adds 2^9 p, whose limbs are at least 2^60 - 19 * 2^9 > 2^59: what it takes away is a
//   product or less. Its result is below 2^59 + 2^60, that of add() of two products below 2^60.
//   carry() of a Sum carries less than 2^10 from limb to limb, and 19 * 2^10 < 2^14.3 around.
#pragma once

#include <cstdint>

#include <immintrin.h>

// Vectors never leave the file that includes this: there is no ABI to warn of.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace wirelay::crypto::lanes {

namespace {

constexpr int kLanes = 8;
constexpr int kLimbs = 5;
constexpr int kLimbBits = 51;
constexpr uint64_t kLimbMask = (uint64_t{1} << kLimbBits) - 1;
constexpr uint64_t kWrap = 19;  // 2^255 mod p

using Vector = __m512i;
using Mask = __mmask8;  // a bit for each lane

struct Factor {
  Vector limb[kLimbs];
};

struct Sum {
  Vector limb[kLimbs];
};

[[gnu::always_inline]] inline __m512i all(uint64_t value) noexcept {
  return _mm512_set1_epi64(static_cast<long long>(value));
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

[[gnu::always_inline]] inline Factor carry(const Sum& a) noexcept {
  const __m512i mask = all(kLimbMask);
  Factor out;
  out.limb[0] = _mm512_madd52lo_epu64(_mm512_and_si512(a.limb[0], mask),
                                      _mm512_srli_epi64(a.limb[4], kLimbBits), all(kWrap));
  for (int i = 1; i < kLimbs; ++i) {
    out.limb[i] = _mm512_add_epi64(_mm512_and_si512(a.limb[i], mask),
                                   _mm512_srli_epi64(a.limb[i - 1], kLimbBits));
  }
  return out;
}

/// Of a product, or of a sum or difference of two: no less work here.
[[gnu::always_inline]] inline Factor carry_two(const Sum& a) noexcept { return carry(a); }

[[gnu::always_inline]] inline Sum add(const Sum& a, const Sum& b) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) out.limb[i] = _mm512_add_epi64(a.limb[i], b.limb[i]);
  return out;
}

[[gnu::always_inline]] inline Sum subtract(const Sum& a, const Sum& b) noexcept {
  Sum out;
  for (int i = 0; i < kLimbs; ++i) {
    const __m512i bias = all((i == 0 ? kLimbMask - 18 : kLimbMask) << 9);
    out.limb[i] = _mm512_sub_epi64(_mm512_add_epi64(a.limb[i], bias), b.limb[i]);
  }
  return out;
}

/// `b` where `take_b` has a bit.
[[gnu::always_inline]] inline Factor blend(const Factor& a, const Factor& b, Mask take_b) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    out.limb[i] = _mm512_mask_mov_epi64(a.limb[i], take_b, b.limb[i]);
  }
  return out;
}

/// Ten columns to five limbs.
[[gnu::always_inline]] inline Sum wrap(const __m512i (&column)[2 * kLimbs]) noexcept {
  Sum out;
  for (int k = 0; k < kLimbs; ++k) {
    out.limb[k] = _mm512_add_epi64(column[k], _mm512_mullo_epi64(column[k + kLimbs], all(kWrap)));
  }
  return out;
}

[[gnu::always_inline]] inline __m512i twice(__m512i a) noexcept { return _mm512_add_epi64(a, a); }

[[gnu::always_inline]] inline Sum multiply(const Factor& a, const Factor& b) noexcept {
  __m512i column[2 * kLimbs];
  for (__m512i& c : column) c = _mm512_setzero_si512();
  for (int i = 0; i < kLimbs; ++i) {
    for (int k = 0; k < kLimbs; ++k) {
      column[i + k + 1] = _mm512_madd52hi_epu64(column[i + k + 1], a.limb[i], b.limb[k]);
    }
  }
  for (int k = 1; k < 2 * kLimbs; ++k) column[k] = twice(column[k]);
  for (int i = 0; i < kLimbs; ++i) {
    for (int k = 0; k < kLimbs; ++k) {
      column[i + k] = _mm512_madd52lo_epu64(column[i + k], a.limb[i], b.limb[k]);
    }
  }
  return wrap(column);
}

/// The products of different limbs count twice; they are added up before that.
[[gnu::always_inline]] inline Sum square(const Factor& a) noexcept {
  __m512i column[2 * kLimbs];
  for (__m512i& c : column) c = _mm512_setzero_si512();
  for (int i = 0; i < kLimbs; ++i) {
    for (int k = i + 1; k < kLimbs; ++k) {
      column[i + k + 1] = _mm512_madd52hi_epu64(column[i + k + 1], a.limb[i], a.limb[k]);
    }
  }
  for (int k = 2; k < 2 * kLimbs - 1; ++k) column[k] = twice(column[k]);
  for (int i = 0; i < kLimbs; ++i) {
    for (int k = i + 1; k < kLimbs; ++k) {
      column[i + k] = _mm512_madd52lo_epu64(column[i + k], a.limb[i], a.limb[k]);
    }
  }
  for (int i = 0; i < kLimbs; ++i) {
    column[2 * i + 1] = _mm512_madd52hi_epu64(column[2 * i + 1], a.limb[i], a.limb[i]);
  }
  for (int k = 1; k < 2 * kLimbs; ++k) column[k] = twice(column[k]);
  for (int i = 0; i < kLimbs; ++i) {
    column[2 * i] = _mm512_madd52lo_epu64(column[2 * i], a.limb[i], a.limb[i]);
  }
  return wrap(column);
}

/// sum + a * small, for a small number below 2^17: the product of a limb is cut at 51 bits, its
/// upper part, below 2^18, by a factor that is twice as large. It adds less than 2^52 to a limb.
[[gnu::always_inline]] inline Sum multiply_add_small(const Sum& sum, const Factor& a,
                                                     uint64_t small) noexcept {
  const __m512i mask = all(kLimbMask), zero = _mm512_setzero_si512();
  Sum out;
  for (int i = 0; i < kLimbs; ++i) {
    const __m512i low = _mm512_madd52lo_epu64(zero, a.limb[i], all(small));
    out.limb[i] = _mm512_add_epi64(sum.limb[i], _mm512_and_si512(low, mask));
  }
  for (int i = 0; i + 1 < kLimbs; ++i) {
    out.limb[i + 1] = _mm512_madd52hi_epu64(out.limb[i + 1], a.limb[i], all(2 * small));
  }
  const __m512i top = _mm512_madd52hi_epu64(zero, a.limb[kLimbs - 1], all(2 * small));
  out.limb[0] = _mm512_madd52lo_epu64(out.limb[0], top, all(kWrap));
  return out;
}

/// The number itself, below p, with limbs below 2^51.
inline Factor freeze(const Factor& a) noexcept {
  const __m512i mask = all(kLimbMask);
  const auto ripple = [&mask](Factor x) {
    for (int i = 0; i + 1 < kLimbs; ++i) {
      x.limb[i + 1] = _mm512_add_epi64(x.limb[i + 1], _mm512_srli_epi64(x.limb[i], kLimbBits));
      x.limb[i] = _mm512_and_si512(x.limb[i], mask);
    }
    return x;
  };
  // A factor is below 2^255 + 2^220, so less than 2 p. It is p or more just when 19 more reach
  // 2^255, and these 19 are then what is to be added in place of taking p away.
  Factor more = a;
  more.limb[0] = _mm512_add_epi64(more.limb[0], all(kWrap));
  const __m512i quotient = _mm512_srli_epi64(ripple(more).limb[4], kLimbBits);
  Factor out = a;
  out.limb[0] = _mm512_madd52lo_epu64(out.limb[0], quotient, all(kWrap));
  out = ripple(out);
  out.limb[4] = _mm512_and_si512(out.limb[4], mask);
  return out;
}

/// Words of 64 bits of all lanes, side by side.
struct Words {
  Vector word[4];
};

[[gnu::always_inline]] inline Words load_words(const uint64_t (&word)[4][kLanes]) noexcept {
  Words out;
  for (int i = 0; i < 4; ++i) out.word[i] = _mm512_loadu_si512(word[i]);
  return out;
}

[[gnu::always_inline]] inline void store_words(const Words& words,
                                               uint64_t (&word)[4][kLanes]) noexcept {
  for (int i = 0; i < 4; ++i) _mm512_storeu_si512(word[i], words.word[i]);
}

/// Bit `bit` of word `word` of each lane.
[[gnu::always_inline]] inline Mask test_bit(const Words& words, int word, unsigned bit) noexcept {
  return _mm512_test_epi64_mask(words.word[word], all(uint64_t{1} << bit));
}

/// The low 255 bits.
[[gnu::always_inline]] inline Factor from_words(const Words& words) noexcept {
  const __m512i* word = words.word;
  const __m512i mask = all(kLimbMask);
  const auto part = [&mask](__m512i low, __m512i high, unsigned shift) {
    return _mm512_and_si512(
        _mm512_or_si512(_mm512_srli_epi64(low, shift), _mm512_slli_epi64(high, 64 - shift)), mask);
  };
  return {{_mm512_and_si512(word[0], mask), part(word[0], word[1], 51), part(word[1], word[2], 38),
           part(word[2], word[3], 25), _mm512_and_si512(_mm512_srli_epi64(word[3], 12), mask)}};
}

/// Of what freeze() gives.
[[gnu::always_inline]] inline Words to_words(const Factor& frozen) noexcept {
  const auto join = [&frozen](int limb, unsigned down, unsigned up) {
    return _mm512_or_si512(_mm512_srli_epi64(frozen.limb[limb], down),
                           _mm512_slli_epi64(frozen.limb[limb + 1], up));
  };
  return {{join(0, 0, 51), join(1, 13, 38), join(2, 26, 25), join(3, 39, 12)}};
}

[[gnu::always_inline]] inline Mask is_zero(const Factor& frozen) noexcept {
  __m512i any = frozen.limb[0];
  for (int i = 1; i < kLimbs; ++i) any = _mm512_or_si512(any, frozen.limb[i]);
  return _mm512_testn_epi64_mask(any, any);
}

/// All lanes as lane `lane` is.
[[gnu::always_inline]] inline Factor spread(const Factor& a, int lane) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    out.limb[i] = _mm512_permutexvar_epi64(all(static_cast<uint64_t>(lane)), a.limb[i]);
  }
  return out;
}

[[gnu::always_inline]] inline Mask no_lanes() noexcept { return 0; }
[[gnu::always_inline]] inline Mask all_lanes() noexcept { return 0xff; }
[[gnu::always_inline]] inline Mask differ(Mask a, Mask b) noexcept {
  return static_cast<Mask>(a ^ b);
}
/// Lanes from `first` on.
[[gnu::always_inline]] inline Mask lanes_from(int first) noexcept {
  return static_cast<Mask>(first >= kLanes ? 0 : 0xff << first);
}

/// Eight numbers of which each lane picks one, in a time that does not tell which: a permutation.
struct Row {
  Vector limb[kLimbs];
};

[[gnu::always_inline]] inline void store(Row& row, const Factor& numbers, int) noexcept {
  for (int i = 0; i < kLimbs; ++i) row.limb[i] = numbers.limb[i];
}

/// Digits from -8 to 8, one a lane, as what they are for picking.
struct Digits {
  Vector index;  // of size 1 to 8: 0 to 7
  Mask zero, negative;
};

[[gnu::always_inline]] inline Digits load_digits(const int8_t (&digit)[kLanes]) noexcept {
  const __m512i value = _mm512_cvtepi8_epi64(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(static_cast<const int8_t*>(digit))));
  return {_mm512_sub_epi64(_mm512_abs_epi64(value), all(1)), _mm512_testn_epi64_mask(value, value),
          _mm512_movepi64_mask(value)};
}

/// Something for digit 0.
[[gnu::always_inline]] inline Factor pick(const Row& row, const Digits& digits) noexcept {
  Factor out;
  for (int i = 0; i < kLimbs; ++i) {
    out.limb[i] = _mm512_permutexvar_epi64(digits.index, row.limb[i]);
  }
  return out;
}

}  // namespace

}  // namespace wirelay::crypto::lanes
