// Arithmetic modulo 2^130 - 5 in 8 lanes of AVX-512 IFMA, for poly1305_ifma.cc alone: three limbs
// of 44, 44 and 42 bits. Internal linkage, so that no other file ends up with code for this
// processor.
//
// Why nothing overflows. Multiply-add reads the low 52 bits of both factors and adds the low or the
// high 52 bits of their product to a 64-bit sum.
//
//   message     m0, m1 < 2^44   m2 <= 2^40 + (2^40 - 1) < 2^41
//   reduced     h0 < 2^44       h1 < 2^44 + 2^8             h2 < 2^42      (see reduce())
//   powers of r as reduced, and s = 20 r: s1 < 2^48.4, s2 < 2^46.4
//   factors     h + m, or the sum of strands: below 2^45.1 in every limb
//
// A sum has at most 5 products (4 blocks, and h by R) of three terms, whose factors together are
// below 5 * 2^44, 5 * 2^44, 5 * 2^42 in limbs 0, 1, 2:
//   low    < 15 * 2^52 < 2^56
//   high 0 < 5 * (2^88 + 5 * 2^88 + 5 * 2^88) / 2^52 < 2^41.8     a0 r0 + a1 s2 + a2 s1
//   high 1 < 5 * (2^88 + 2^88 + 1.3 * 2^88) / 2^52 < 2^40.1       a0 r1 + a1 r0 + a2 s2
//   high 2 < 5 * (2^86 + 2^88 + 2^86) / 2^52 < 2^39               a0 r2 + a1 r1 + a2 r0
// High sums are moved by multiply-add, whose products must stay below 2^52: 2^8 of the first two
// are below 2^50, 5 * 2^10 of the third is below 2^51.3.
#pragma once

#include <cstdint>

#include <immintrin.h>

// Vectors never leave the file that includes this: there is no ABI to warn of.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace wirelay::crypto::lanes {

namespace {

constexpr uint64_t kMask44 = (uint64_t{1} << 44) - 1;
constexpr uint64_t kMask42 = (uint64_t{1} << 42) - 1;

struct Limbs {
  __m512i l0, l1, l2;
};

/// A power of r, with s = 20 r for what wraps: 2^132 = 4 * 2^130 = 20 (mod 2^130 - 5).
struct Power {
  Limbs r;
  __m512i s1, s2;
};

/// Sums of products: limb i has low[i] + 2^52 high[i].
struct Sums {
  __m512i low[3], high[3];
};

[[gnu::always_inline]] inline __m512i set1(uint64_t value) noexcept {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

[[gnu::always_inline]] inline Limbs add(const Limbs& a, const Limbs& b) noexcept {
  return {_mm512_add_epi64(a.l0, b.l0), _mm512_add_epi64(a.l1, b.l1), _mm512_add_epi64(a.l2, b.l2)};
}

[[gnu::always_inline]] inline Sums add(const Sums& a, const Sums& b) noexcept {
  Sums sum;
  for (int i = 0; i < 3; ++i) {
    sum.low[i] = _mm512_add_epi64(a.low[i], b.low[i]);
    sum.high[i] = _mm512_add_epi64(a.high[i], b.high[i]);
  }
  return sum;
}

/// A number of 128 bits as limbs, and on top of it the bits of `above`: 1 for 2^128, or 0.
[[gnu::always_inline]] inline Limbs split(__m512i low, __m512i high, __m512i above) noexcept {
  const __m512i mask = set1(kMask44);
  return {_mm512_and_si512(low, mask), _mm512_and_si512(_mm512_shrdi_epi64(low, high, 44), mask),
          _mm512_shrdi_epi64(high, above, 24)};
}

[[gnu::always_inline]] inline Power make_power(const Limbs& r) noexcept {
  const auto times20 = [](__m512i x) {
    return _mm512_madd52lo_epu64(_mm512_setzero_si512(), x, set1(20));
  };
  return {r, times20(r.l1), times20(r.l2)};
}

[[gnu::always_inline]] inline void multiply_add(__m512i& low, __m512i& high, __m512i a,
                                                __m512i b) noexcept {
  low = _mm512_madd52lo_epu64(low, a, b);
  high = _mm512_madd52hi_epu64(high, a, b);
}

[[gnu::always_inline]] inline void multiply_add(Sums& sum, const Limbs& a,
                                                const Power& p) noexcept {
  multiply_add(sum.low[0], sum.high[0], a.l0, p.r.l0);
  multiply_add(sum.low[1], sum.high[1], a.l0, p.r.l1);
  multiply_add(sum.low[2], sum.high[2], a.l0, p.r.l2);
  multiply_add(sum.low[0], sum.high[0], a.l1, p.s2);
  multiply_add(sum.low[1], sum.high[1], a.l1, p.r.l0);
  multiply_add(sum.low[2], sum.high[2], a.l1, p.r.l1);
  multiply_add(sum.low[0], sum.high[0], a.l2, p.s1);
  multiply_add(sum.low[1], sum.high[1], a.l2, p.s2);
  multiply_add(sum.low[2], sum.high[2], a.l2, p.r.l0);
}

/// One carry through the limbs and around, but for the last one from h0 into h1, which is left in
/// h0. High sums move to where they belong by a multiplication, which costs one instruction where
/// shift and addition are two, and waits for nothing that the carry waits for.
[[gnu::always_inline]] inline Limbs reduce_lazily(const Sums& sum) noexcept {
  const __m512i mask44 = set1(kMask44);
  const __m512i l1 = _mm512_madd52lo_epu64(sum.low[1], sum.high[0], set1(1 << 8));
  const __m512i l2 = _mm512_madd52lo_epu64(sum.low[2], sum.high[1], set1(1 << 8));
  const __m512i l0 =
      _mm512_madd52lo_epu64(_mm512_and_si512(sum.low[0], mask44), sum.high[2], set1(5 << 10));
  const __m512i d1 = _mm512_add_epi64(l1, _mm512_srli_epi64(sum.low[0], 44));
  const __m512i d2 = _mm512_add_epi64(l2, _mm512_srli_epi64(d1, 44));
  return {_mm512_madd52lo_epu64(l0, _mm512_srli_epi64(d2, 42), set1(5)),
          _mm512_and_si512(d1, mask44), _mm512_and_si512(d2, set1(kMask42))};
}

/// With it: h0 is below 2^51.4, so it carries less than 2^8 into h1.
[[gnu::always_inline]] inline Limbs reduce(const Sums& sum) noexcept {
  const Limbs h = reduce_lazily(sum);
  return {_mm512_and_si512(h.l0, set1(kMask44)),
          _mm512_add_epi64(h.l1, _mm512_srli_epi64(h.l0, 44)), h.l2};
}

[[gnu::always_inline]] inline Limbs multiply(const Limbs& a, const Power& p) noexcept {
  Sums sum{};
  multiply_add(sum, a, p);
  return reduce(sum);
}

/// For r itself, below 2^124, whose top limb is below 2^36, and a sum of h and a message where h0
/// is below 2^50, as this leaves it: the high sums are then below 2^42.2, 2^42.1 and 2^37.4, their
/// products below 2^50.2, and h0 ends below 2^49.8. So it may go on without end. The last of such
/// products, by multiply(), is reduced as any other: its h0 carries less than 2^8.
[[gnu::always_inline]] inline Limbs multiply_lazily(const Limbs& a, const Power& r) noexcept {
  Sums sum{};
  multiply_add(sum, a, r);
  return reduce_lazily(sum);
}

[[gnu::always_inline]] inline Limbs blend(const Limbs& a, const Limbs& b,
                                          __mmask8 take_b) noexcept {
  return {_mm512_mask_mov_epi64(a.l0, take_b, b.l0), _mm512_mask_mov_epi64(a.l1, take_b, b.l1),
          _mm512_mask_mov_epi64(a.l2, take_b, b.l2)};
}

/// h mod 2^130 - 5. The carry leaves h1 < 2^44 and h2 < 2^42, and h0 < 2^44 unless it went around,
/// which adds 5, and then h is below 2^60; so the value is below 2^130. One subtraction of the
/// prime, taken where it does not go below zero, ends it.
[[gnu::always_inline]] inline Limbs freeze(const Limbs& reduced) noexcept {
  const __m512i mask44 = set1(kMask44), mask42 = set1(kMask42), five = set1(5);
  const __m512i l1 = _mm512_and_si512(reduced.l1, mask44);
  const __m512i l2 = _mm512_add_epi64(reduced.l2, _mm512_srli_epi64(reduced.l1, 44));
  const Limbs h{_mm512_madd52lo_epu64(reduced.l0, _mm512_srli_epi64(l2, 42), five), l1,
                _mm512_and_si512(l2, mask42)};
  const __m512i g0 = _mm512_add_epi64(h.l0, five);
  const __m512i g1 = _mm512_add_epi64(h.l1, _mm512_srli_epi64(g0, 44));
  const __m512i g2 = _mm512_add_epi64(h.l2, _mm512_srli_epi64(g1, 44));
  const __mmask8 above = _mm512_cmpgt_epu64_mask(g2, mask42);
  return blend(h, {_mm512_and_si512(g0, mask44), _mm512_and_si512(g1, mask44), g2}, above);
}

}  // namespace

}  // namespace wirelay::crypto::lanes
