// Poly1305 in 8 lanes with 52-bit multiply-add; poly1305_ifma.h draws them. Built for AVX-512 F,
// BW, IFMA, VBMI2: call nothing here before cpu.h says that the processor has them.
#include "crypto/lanes/poly1305_ifma.h"

#include "crypto/lanes/field_ifma.h"
#include "crypto/lanes/texts_ifma.h"

namespace wirelay::crypto::lanes {

namespace {

constexpr int64_t kShortBytes = kPolyShortChunks * kChunkBytes;

struct alignas(64) Powers {
  Power r[kChunkBlocks];  // r[i] is r^(i + 1)
  Power stride;           // from a strand's chunk to its next: r^(4 * strands)
};

/// Two words of each lane's key as one 64-bit word. `packet` has each lane's packet twice.
inline __m512i key_half(const PolyKeys& keys, __m512i packet, uint32_t word) noexcept {
  const auto pick = [packet](const uint32_t* plane) {
    return _mm512_permutex2var_epi32(_mm512_load_si512(plane), packet,
                                     _mm512_load_si512(plane + kPlanPackets / 2));
  };
  return _mm512_mask_mov_epi32(pick(keys.word[word]), 0xaaaa, pick(keys.word[word + 1]));
}

/// A step of a walk: the next chunk of kRegisters registers of lanes, which do not depend on each
/// other and are worked on by turns, two blocks at a time, so that none waits for its multipliers.
/// What depends on h comes last. With strands, h has a power of its own.
template <bool kFull, bool kStrands, uint32_t kRegisters>
[[gnu::always_inline]] inline void add_chunk(Lanes (&lanes)[kRegisters],
                                             const Powers (&powers)[kRegisters], int64_t step,
                                             Limbs (&h)[kRegisters]) noexcept {
  Sums sum[kRegisters] = {};
  if constexpr (!kFull) {
    for (Lanes& l : lanes) choose_texts(l, step);
  }
  look_ahead(lanes, step);
#pragma GCC unroll 2
  for (uint32_t pass = 0; pass < 2; ++pass) {
    const uint32_t half = 1 - pass;
    Limbs m[kRegisters][2];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < kRegisters; ++i) {
      if constexpr (kFull) {
        load_blocks(lanes[i], step, half, m[i]);
      } else {
        load_chosen_blocks(lanes[i], step, half, m[i]);
      }
      if (!kStrands && half == 0) m[i][0] = add(m[i][0], h[i]);
    }
#pragma GCC unroll 2
    for (uint32_t p = 0; p < 2; ++p) {
#pragma GCC unroll 4
      for (uint32_t i = 0; i < kRegisters; ++i) {
        multiply_add(sum[i], m[i][1 - p], powers[i].r[2 * pass + p]);
      }
    }
  }
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    if constexpr (kStrands) multiply_add(sum[i], h[i], powers[i].stride);
    h[i] = reduce(sum[i]);
  }
}

/// All chunks.
template <uint32_t kRegisters, bool kStrands>
[[gnu::always_inline]] inline void walk_chunks(Lanes (&lanes)[kRegisters], const Steps& steps,
                                               const Powers (&powers)[kRegisters],
                                               Limbs (&h)[kRegisters]) noexcept {
  for (Limbs& sum : h) sum = Limbs{};
  for (int64_t step = steps.all - 1; step >= 0; --step) {
    if (step >= steps.full_begin && step < steps.full_end) {
      add_chunk<true, kStrands>(lanes, powers, step, h);
    } else {
      add_chunk<false, kStrands>(lanes, powers, step, h);
    }
  }
}

/// The same without powers, block by block: h becomes (h + m) r. Less work for short texts.
template <uint32_t kRegisters>
[[gnu::always_inline]] inline void walk_blocks(Lanes (&lanes)[kRegisters], const Steps& steps,
                                               const Power (&r)[kRegisters],
                                               Limbs (&h)[kRegisters]) noexcept {
  for (Limbs& sum : h) sum = Limbs{};
  for (int64_t step = steps.all - 1; step >= 0; --step) {
    const bool full = step >= steps.full_begin && step < steps.full_end;
    if (!full) {
      for (Lanes& l : lanes) choose_texts(l, step);
    }
    look_ahead(lanes, step);
#pragma GCC unroll 2
    for (uint32_t half = 0; half < 2; ++half) {
      Limbs m[kRegisters][2];
#pragma GCC unroll 4
      for (uint32_t i = 0; i < kRegisters; ++i) {
        if (full) {
          load_blocks(lanes[i], step, half, m[i]);
        } else {
          load_chosen_blocks(lanes[i], step, half, m[i]);
        }
      }
#pragma GCC unroll 2
      for (uint32_t q = 0; q < 2; ++q) {
#pragma GCC unroll 4
        for (uint32_t i = 0; i < kRegisters; ++i) h[i] = multiply_lazily(add(h[i], m[i][q]), r[i]);
      }
    }
  }
}

/// Multiplies the lanes of `from` by `p` and adds each to the lane `kDistance` above it.
template <int kDistance>
inline Limbs fold(const Limbs& h, const Power& p, __mmask8 from) noexcept {
  const Limbs product = multiply(h, p);
  const auto to = static_cast<__mmask8>(from << kDistance);
  const auto add_up = [to](__m512i sum, __m512i x) {
    const __m512i moved = _mm512_alignr_epi64(x, _mm512_setzero_si512(), 8 - kDistance);
    return _mm512_mask_add_epi64(sum, to, sum, moved);
  };
  return {add_up(h.l0, product.l0), add_up(h.l1, product.l1), add_up(h.l2, product.l2)};
}

/// Fills powers.stride, from a strand's chunk to its next, r^(4 * strands), and `level` with what
/// strands are added up with: r^4, r^8, r^16, as far as the group has packets of so many strands.
inline void fill_strand_powers(const PolyStrands& strands, Powers& powers,
                               Power (&level)[3]) noexcept {
  level[0] = powers.r[3];
  powers.stride = level[0];
  for (int i = 0; i < 3 && strands.split[i] != 0; ++i) {
    const Power square = make_power(multiply(level[i].r, level[i]));
    powers.stride = make_power(blend(powers.stride.r, square.r, strands.split[i]));
    if (i < 2) level[i + 1] = square;
  }
}

/// The sum of a packet's strands forms in the lane of the last: strand s of j counts
/// r^(4 (j - 1 - s)) times. Three levels of pairs do it: r^4 for each even strand, r^8 for each odd
/// pair, r^16 for the first four.
inline Limbs add_strands(const PolyStrands& strands, const Power (&level)[3], Limbs h) noexcept {
  if (strands.split[0] != 0) h = fold<1>(h, level[0], strands.fold[0]);
  if (strands.split[1] != 0) h = fold<2>(h, level[1], strands.fold[1]);
  if (strands.split[2] != 0) h = fold<4>(h, level[2], strands.fold[2]);
  return h;
}

/// tag = (h + s) mod 2^128. Limbs are added up, for h0 may have a bit above its 44.
inline void store_tags(const Limbs& h, __m512i s_low, __m512i s_high, uint32_t first,
                       PolyTags& tags) noexcept {
  const __m512i one = set1(1);
  const __m512i low = _mm512_add_epi64(h.l0, _mm512_slli_epi64(h.l1, 44));
  const __m512i high = _mm512_or_si512(_mm512_srli_epi64(h.l1, 20), _mm512_slli_epi64(h.l2, 24));
  const __m512i sum = _mm512_add_epi64(low, s_low);
  const __m512i top = _mm512_add_epi64(high, s_high);
  const __mmask8 carry = _mm512_cmplt_epu64_mask(sum, low);
  const __m512i top_carried = _mm512_mask_add_epi64(top, carry, top, one);
  const __m512i from_begin = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
  const __m512i from_middle = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
  _mm512_store_si512(tags.tag[first], _mm512_permutex2var_epi64(sum, from_begin, top_carried));
  _mm512_store_si512(tags.tag[first + 4], _mm512_permutex2var_epi64(sum, from_middle, top_carried));
}

inline Power load_r(const PolyKeys& keys, const Lanes& lanes) noexcept {
  const __m512i packet = lanes.packet;
  const __m512i low = _mm512_and_si512(key_half(keys, packet, 0), set1(0x0ffffffc0fffffff));
  const __m512i high = _mm512_and_si512(key_half(keys, packet, 2), set1(0x0ffffffc0ffffffc));
  return make_power(split(low, high, _mm512_setzero_si512()));
}

template <uint32_t kRegisters>
inline void fill_powers(const PolyKeys& keys, const Lanes (&lanes)[kRegisters],
                        Powers (&powers)[kRegisters]) noexcept {
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) powers[i].r[0] = load_r(keys, lanes[i]);
#pragma GCC unroll 4
  for (int n = 1; n < kChunkBlocks; ++n) {
    const int a = (n - 1) / 2, b = n - 1 - a;  // r^(n + 1) = r^(a + 1) r^(b + 1)
#pragma GCC unroll 4
    for (Powers& p : powers) p.r[n] = make_power(multiply(p.r[a].r, p.r[b]));
  }
}

/// The closing block, the last reduction, s.
[[gnu::always_inline]] inline void finish(const PolyKeys& keys, const Lanes& lanes, const Limbs& h,
                                          const Power& r, uint32_t first, PolyTags& tags) noexcept {
  const Limbs frozen = freeze(multiply(add(h, lanes.closing), r));
  store_tags(frozen, key_half(keys, lanes.packet, 4), key_half(keys, lanes.packet, 6), first, tags);
}

/// Texts of few chunks, for which powers of r are not worth their cost.
template <uint32_t kRegisters>
[[gnu::noinline]] void make_short_tags(const PolyKeys& keys, const PolyTexts& texts,
                                       PolyTags& tags) noexcept {
  Lanes lanes[kRegisters];
  Power r[kRegisters];
  Limbs h[kRegisters];
  const Steps steps = load_lanes(texts, lanes);
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) r[i] = load_r(keys, lanes[i]);
  walk_blocks<kRegisters>(lanes, steps, r, h);
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    finish(keys, lanes[i], h[i], r[i], i * kPolyLanes, tags);
  }
}

template <uint32_t kRegisters>
[[gnu::noinline]] void make_tags(const PolyKeys& keys, const PolyTexts& texts,
                                 PolyTags& tags) noexcept {
  Lanes lanes[kRegisters];
  Powers powers[kRegisters];
  Limbs h[kRegisters];
  const Steps steps = load_lanes(texts, lanes);
  fill_powers(keys, lanes, powers);
  walk_chunks<kRegisters, false>(lanes, steps, powers, h);
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    finish(keys, lanes[i], h[i], powers[i].r[0], i * kPolyLanes, tags);
  }
}

}  // namespace

void poly1305_ifma(const PolyKeys& keys, const PolyTexts& texts, PolyTags& tags) noexcept {
  const bool is_short = texts.bytes[0] <= kShortBytes;
  if (texts.registers == 2) {
    is_short ? make_short_tags<2>(keys, texts, tags) : make_tags<2>(keys, texts, tags);
  } else {
    is_short ? make_short_tags<1>(keys, texts, tags) : make_tags<1>(keys, texts, tags);
  }
}

void poly1305_ifma(const PolyKeys& keys, const PolyStrands& strands, PolyTags& tags) noexcept {
  Lanes lanes[1];
  Powers powers[1];
  Limbs h[1];
  const Steps steps = load_lanes(strands, lanes);
  fill_powers(keys, lanes, powers);
  if (strands.split[0] != 0) {
    Power level[3];
    fill_strand_powers(strands, powers[0], level);
    walk_chunks<1, true>(lanes, steps, powers, h);
    h[0] = add_strands(strands, level, h[0]);
  } else {
    walk_chunks<1, false>(lanes, steps, powers, h);
  }
  finish(keys, lanes[0], h[0], powers[0].r[0], 0, tags);
}

}  // namespace wirelay::crypto::lanes
