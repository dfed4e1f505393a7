// Poly1305 in 8 lanes with 52-bit multiply-add; poly1305_ifma.h draws them. Built for AVX-512 F,
// BW, IFMA, VBMI2: call nothing here before cpu.h says that the processor has them.
#include "crypto/lanes/poly1305_ifma.h"

#include "crypto/lanes/field_ifma.h"

namespace wirelay::crypto::lanes {

namespace {

constexpr int kChunkBlocks = 4;
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

/// One register of lanes, as the kernel works on it. Places in the text are plain addresses: a
/// chunk may begin before its text, where pointer arithmetic is not defined.
struct alignas(64) Lanes {
  uint64_t at[2][kPolyLanes];  // where each lane's next chunk begins, in steps of even number and
                               // of odd number: written a step before it is read
  __m512i begin, end;          // of each lane's text
  __m512i stride;              // from a chunk to the lane's next
  __m512i packet;              // index of the packet, in the low and in the high half of the lane
  Limbs closing;
};

/// Steps that a walk takes, and in which of them, counted from the end, all lanes have whole
/// chunks.
struct Steps {
  int64_t all, full_begin, full_end;
};

/// Keeps the compiler from taking the words out of vector registers one by one: each would cost as
/// much as an addition of 8 lanes, where a load costs nothing that is short here.
[[gnu::always_inline]] inline void to_memory(uint64_t (&words)[kPolyLanes], __m512i v) noexcept {
  _mm512_store_si512(words, v);
  asm("" : "+m"(words));
}

inline void set_packets(__m256i packet, Lanes& lanes) noexcept {
  const __m512i index = _mm512_cvtepu32_epi64(packet);
  lanes.packet = _mm512_or_si512(index, _mm512_slli_epi64(index, 32));
}

inline void set_closing(const uint64_t* low, const uint64_t* high, Lanes& lanes) noexcept {
  lanes.closing = split(_mm512_loadu_si512(low), _mm512_loadu_si512(high), set1(1));
}

inline __m512i padded(__m512i bytes) noexcept {
  return _mm512_andnot_si512(set1(15), _mm512_add_epi64(bytes, set1(15)));
}

/// Sets the lanes before the first of `steps` steps; `first` is where in the text the chunk of that
/// step begins.
inline void set_texts(const uint8_t* const* text, __m512i bytes, __m512i first, int64_t steps,
                      Lanes& lanes) noexcept {
  lanes.begin = _mm512_loadu_si512(text);
  lanes.end = _mm512_add_epi64(lanes.begin, bytes);
  to_memory(lanes.at[(steps - 1) & 1], _mm512_add_epi64(lanes.begin, first));
}

template <uint32_t kRegisters>
inline Steps load_lanes(const PolyTexts& texts, Lanes (&lanes)[kRegisters]) noexcept {
  const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int64_t chunks = (texts.bytes[0] + kChunkBytes - 1) / kChunkBytes;
  const __m512i last = set1(static_cast<uint64_t>(chunks) * kChunkBytes);
  __m512i any_bytes = _mm512_setzero_si512(), any_padded = any_bytes;
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    const uint32_t first = i * kPolyLanes;
    set_packets(_mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(texts.first + first)), count),
                lanes[i]);
    const __m512i bytes = _mm512_loadu_si512(texts.bytes + first);
    const __m512i whole = padded(bytes);
    lanes[i].stride = set1(kChunkBytes);
    set_texts(texts.text + first, bytes, _mm512_sub_epi64(whole, last), chunks, lanes[i]);
    any_bytes = _mm512_or_si512(any_bytes, bytes);
    any_padded = _mm512_or_si512(any_padded, whole);
    set_closing(texts.closing[0] + first, texts.closing[1] + first, lanes[i]);
  }
  const bool part_ends = _mm512_test_epi64_mask(any_bytes, set1(15)) != 0;
  const bool part_begins = _mm512_test_epi64_mask(any_padded, set1(kChunkBytes - 1)) != 0;
  return {chunks, part_ends ? 1 : 0, chunks - (part_begins ? 1 : 0)};
}

inline Steps load_lanes(const PolyStrands& strands, Lanes (&lanes)[1]) noexcept {
  set_packets(_mm256_load_si256(reinterpret_cast<const __m256i*>(strands.packet)), lanes[0]);
  const __m512i stride = _mm512_load_si512(strands.stride);
  const auto before = static_cast<uint64_t>(strands.steps - 1);
  lanes[0].stride = stride;
  set_texts(
      strands.text, _mm512_load_si512(strands.bytes),
      _mm512_sub_epi64(_mm512_load_si512(strands.last), _mm512_mullo_epi64(stride, set1(before))),
      strands.steps, lanes[0]);
  set_closing(strands.closing[0], strands.closing[1], lanes[0]);
  return {strands.steps, strands.full_begin, strands.full_end};
}

/// Half a chunk of 8 rows, of 2 blocks each. Two rows share a register: pair[i] has rows 0 and 2, 1
/// and 3, 4 and 6, 5 and 7, for i from 0 to 3.
struct HalfChunk {
  __m512i pair[4];
};

constexpr uint32_t kPairs[4][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}};

/// Pairs of rows meet in the load, which spares port 5 a third of the transpose.
[[gnu::always_inline]] inline HalfChunk load_half(const uint64_t (&at)[kPolyLanes],
                                                  uint32_t half) noexcept {
  const auto row = [&](uint32_t i) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at[i] + 32 * half));  // NOLINT
  };
  HalfChunk chunk;
#pragma GCC unroll 4
  for (uint32_t i = 0; i < 4; ++i) {
    chunk.pair[i] =
        _mm512_inserti64x4(_mm512_castsi256_si512(row(kPairs[i][0])), row(kPairs[i][1]), 1);
  }
  return chunk;
}

/// The same in a step in which some lanes begin, end with a part of a block, or have not begun:
/// `mask` has a bit for each byte of a chunk that is of the text.
[[gnu::always_inline]] inline HalfChunk load_half_masked(const uint64_t (&at)[kPolyLanes],
                                                         const uint64_t (&mask)[kPolyLanes],
                                                         uint32_t half) noexcept {
  const auto row = [&](uint32_t i) {
    const auto* from = reinterpret_cast<const void*>(at[i] + 32 * half);  // NOLINT
    return _mm256_maskz_loadu_epi8(static_cast<__mmask32>(mask[i] >> (32 * half)), from);
  };
  HalfChunk chunk;
#pragma GCC unroll 4
  for (uint32_t i = 0; i < 4; ++i) {
    chunk.pair[i] =
        _mm512_inserti64x4(_mm512_castsi256_si512(row(kPairs[i][0])), row(kPairs[i][1]), 1);
  }
  return chunk;
}

/// Turns rows into columns: m[q] has block q of all rows, row i in lane i, and above[q] on top.
[[gnu::always_inline]] inline void transpose(const HalfChunk& chunk, const __m512i (&above)[2],
                                             Limbs (&m)[2]) noexcept {
  const __m512i* pair = chunk.pair;
  const __m512i low0123 = _mm512_unpacklo_epi64(pair[0], pair[1]);
  const __m512i high0123 = _mm512_unpackhi_epi64(pair[0], pair[1]);
  const __m512i low4567 = _mm512_unpacklo_epi64(pair[2], pair[3]);
  const __m512i high4567 = _mm512_unpackhi_epi64(pair[2], pair[3]);
  m[0] = split(_mm512_shuffle_i64x2(low0123, low4567, 0x88),
               _mm512_shuffle_i64x2(high0123, high4567, 0x88), above[0]);
  m[1] = split(_mm512_shuffle_i64x2(low0123, low4567, 0xdd),
               _mm512_shuffle_i64x2(high0123, high4567, 0xdd), above[1]);
}

/// Two blocks of each lane as limbs, from the lower or the upper half of its chunk.
[[gnu::always_inline]] inline void load_blocks(const Lanes& lanes, int64_t turn, uint32_t half,
                                               Limbs (&m)[2]) noexcept {
  transpose(load_half(lanes.at[turn], half), {set1(1), set1(1)}, m);
}

/// The same where masks keep loads within the text. Blocks before it get no 2^128, so that they
/// count as nothing.
inline void load_blocks_masked(const Lanes& lanes, int64_t turn, uint32_t half,
                               Limbs (&m)[2]) noexcept {
  // Shifts by 64 and more leave nothing.
  const __m512i ones = set1(~uint64_t{0}), zero = _mm512_setzero_si512();
  const __m512i at = _mm512_load_si512(lanes.at[turn]);
  const __m512i skip = _mm512_sub_epi64(lanes.begin, at);  // bytes before the text, if above 0
  const __m512i from_begin = _mm512_sllv_epi64(ones, _mm512_max_epi64(skip, zero));
  const __m512i behind_end = _mm512_sllv_epi64(ones, _mm512_sub_epi64(lanes.end, at));
  alignas(64) uint64_t mask[kPolyLanes];
  to_memory(mask, _mm512_andnot_si512(behind_end, from_begin));
  const auto above = [&](uint64_t place) {  // where the text has begun at that place of the chunk
    return _mm512_maskz_mov_epi64(_mm512_cmple_epi64_mask(skip, set1(place)), set1(1));
  };
  transpose(load_half_masked(lanes.at[turn], mask, half), {above(32 * half), above(32 * half + 16)},
            m);
}

/// Says where the chunks of the step after this one begin.
template <uint32_t kRegisters>
[[gnu::always_inline]] inline void look_ahead(Lanes (&lanes)[kRegisters], int64_t turn) noexcept {
#pragma GCC unroll 4
  for (Lanes& l : lanes) {
    to_memory(l.at[1 - turn], _mm512_add_epi64(_mm512_load_si512(l.at[turn]), l.stride));
  }
}

/// A step of a walk: the next chunk of kRegisters registers of lanes, which do not depend on each
/// other and are worked on by turns, two blocks at a time, so that none waits for its multipliers.
/// What depends on h comes last. With strands, h has a power of its own.
template <bool kFull, bool kStrands, uint32_t kRegisters>
[[gnu::always_inline]] inline void add_chunk(Lanes (&lanes)[kRegisters],
                                             const Powers (&powers)[kRegisters], int64_t turn,
                                             Limbs (&h)[kRegisters]) noexcept {
  Sums sum[kRegisters] = {};
  look_ahead(lanes, turn);
#pragma GCC unroll 2
  for (uint32_t pass = 0; pass < 2; ++pass) {
    const uint32_t half = 1 - pass;
    Limbs m[kRegisters][2];
#pragma GCC unroll 4
    for (uint32_t i = 0; i < kRegisters; ++i) {
      if constexpr (kFull) {
        load_blocks(lanes[i], turn, half, m[i]);
      } else {
        load_blocks_masked(lanes[i], turn, half, m[i]);
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
      add_chunk<true, kStrands>(lanes, powers, step & 1, h);
    } else {
      add_chunk<false, kStrands>(lanes, powers, step & 1, h);
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
    const int64_t turn = step & 1;
    look_ahead(lanes, turn);
#pragma GCC unroll 2
    for (uint32_t half = 0; half < 2; ++half) {
      Limbs m[kRegisters][2];
#pragma GCC unroll 4
      for (uint32_t i = 0; i < kRegisters; ++i) {
        if (full) {
          load_blocks(lanes[i], turn, half, m[i]);
        } else {
          load_blocks_masked(lanes[i], turn, half, m[i]);
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
