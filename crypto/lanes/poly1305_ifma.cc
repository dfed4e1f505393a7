// Poly1305 in 8 lanes with 52-bit multiply-add; poly1305_ifma.h draws them. Built for AVX-512 F,
// BW, IFMA, VBMI2: call nothing here before cpu.h says that the processor has them.
#include "crypto/lanes/poly1305_ifma.h"

#include "crypto/lanes/field_ifma.h"

namespace wirelay::crypto::lanes {

namespace {

constexpr int kChunkBlocks = 4;

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

/// One register of lanes, as the kernel works on it.
struct Lanes {
  const uint8_t* const* text;
  __m512i packet;          // index of the packet, in the low and in the high half of the lane
  __m512i bytes;           // of text
  __m512i offset, stride;  // where in the text the lane's next chunk begins, from there to the next
  Limbs closing;
};

/// Steps that a walk takes, and in which of them, counted from the end, all lanes have whole
/// chunks.
struct Steps {
  int64_t all, full_begin, full_end;
};

inline void set_packets(__m256i packet, Lanes& lanes) noexcept {
  const __m512i index = _mm512_cvtepu32_epi64(packet);
  lanes.packet = _mm512_or_si512(index, _mm512_slli_epi64(index, 32));
}

inline void set_closing(const uint64_t* low, const uint64_t* high, Lanes& lanes) noexcept {
  lanes.closing = split(_mm512_loadu_si512(low), _mm512_loadu_si512(high));
  lanes.closing.l2 = _mm512_or_si512(lanes.closing.l2, set1(kPadBit));
}

inline __m512i padded(__m512i bytes) noexcept {
  return _mm512_andnot_si512(set1(15), _mm512_add_epi64(bytes, set1(15)));
}

/// Before the first of `steps` steps; the last step's offset is `last`.
inline void rewind(Lanes& lanes, __m512i last, int64_t steps) noexcept {
  const __m512i back = _mm512_mullo_epi64(lanes.stride, set1(static_cast<uint64_t>(steps - 1)));
  lanes.offset = _mm512_sub_epi64(last, back);
}

template <uint32_t kRegisters>
inline Steps load_lanes(const PolyTexts& texts, Lanes (&lanes)[kRegisters]) noexcept {
  const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int64_t chunks = (texts.bytes[0] + kChunkBytes - 1) / kChunkBytes;
  int part_ends = 0, part_begins = 0;
  for (uint32_t i = 0; i < kRegisters; ++i) {
    const uint32_t first = i * kPolyLanes;
    lanes[i].text = texts.text + first;
    set_packets(_mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(texts.first + first)), count),
                lanes[i]);
    const __m512i bytes = _mm512_loadu_si512(texts.bytes + first);
    lanes[i].bytes = bytes;
    lanes[i].stride = set1(kChunkBytes);
    rewind(lanes[i], _mm512_sub_epi64(padded(bytes), set1(kChunkBytes)), chunks);
    part_ends |= _mm512_test_epi64_mask(bytes, set1(15));
    part_begins |= _mm512_test_epi64_mask(padded(bytes), set1(kChunkBytes - 1));
    set_closing(texts.closing[0] + first, texts.closing[1] + first, lanes[i]);
  }
  return {chunks, part_ends != 0 ? 1 : 0, chunks - (part_begins != 0 ? 1 : 0)};
}

inline Steps load_lanes(const PolyStrands& strands, Lanes (&lanes)[1]) noexcept {
  lanes[0].text = strands.text;
  set_packets(_mm256_load_si256(reinterpret_cast<const __m256i*>(strands.packet)), lanes[0]);
  lanes[0].bytes = _mm512_load_si512(strands.bytes);
  lanes[0].stride = _mm512_load_si512(strands.stride);
  rewind(lanes[0], _mm512_load_si512(strands.last), strands.steps);
  set_closing(strands.closing[0], strands.closing[1], lanes[0]);
  return {strands.steps, strands.full_begin, strands.full_end};
}

/// A chunk of 8 rows, of 4 blocks each. Two rows share a register: pair[h][i] has bytes 32 h to
/// 32 h + 31 of rows 0 and 2, 1 and 3, 4 and 6, 5 and 7, for i from 0 to 3.
struct Chunk {
  __m512i pair[2][4];
};

constexpr uint32_t kPairs[4][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}};

/// Pairs of rows meet in the load, which spares port 5 a third of the transpose.
inline Chunk load_chunk(const Lanes& lanes) noexcept {
  alignas(64) int64_t offset[kPolyLanes];
  _mm512_store_si512(offset, lanes.offset);
  const auto half = [&](uint32_t row, uint32_t h) {
    return _mm256_loadu_si256(
        reinterpret_cast<const __m256i*>(lanes.text[row] + offset[row] + 32 * h));
  };
  Chunk chunk;
  for (uint32_t h = 0; h < 2; ++h) {
    for (uint32_t i = 0; i < 4; ++i) {
      chunk.pair[h][i] = _mm512_inserti64x4(_mm512_castsi256_si512(half(kPairs[i][0], h)),
                                            half(kPairs[i][1], h), 1);
    }
  }
  return chunk;
}

/// `skip`: bytes of each lane's chunk that lie before its text, 0 or less where there are none.
inline Chunk load_chunk_masked(const Lanes& lanes, __m512i skip) noexcept {
  // Shifts by 64 and more leave nothing.
  const __m512i ones = set1(~uint64_t{0}), zero = _mm512_setzero_si512();
  const __m512i from_begin = _mm512_sllv_epi64(ones, _mm512_max_epi64(skip, zero));
  const __m512i behind_end = _mm512_sllv_epi64(ones, _mm512_add_epi64(lanes.bytes, skip));
  alignas(64) uint64_t mask[kPolyLanes];
  alignas(64) int64_t offset[kPolyLanes];
  _mm512_store_si512(mask, _mm512_andnot_si512(behind_end, from_begin));
  _mm512_store_si512(offset, lanes.offset);
  __m512i row[kPolyLanes];
  for (uint32_t i = 0; i < kPolyLanes; ++i) {
    // The address may lie before the text, where pointer arithmetic is not defined; the mask is.
    const auto at = reinterpret_cast<uintptr_t>(lanes.text[i]) + static_cast<uint64_t>(offset[i]);
    row[i] = _mm512_maskz_loadu_epi8(mask[i], reinterpret_cast<const void*>(at));  // NOLINT
  }
  Chunk chunk;
  for (uint32_t i = 0; i < 4; ++i) {
    const __m512i a = row[kPairs[i][0]], b = row[kPairs[i][1]];
    chunk.pair[0][i] = _mm512_shuffle_i64x2(a, b, 0x44);
    chunk.pair[1][i] = _mm512_shuffle_i64x2(a, b, 0xee);
  }
  return chunk;
}

/// Turns rows into columns: m[q] has block q of all rows, row i in lane i.
inline void transpose(const Chunk& chunk, Limbs (&m)[kChunkBlocks]) noexcept {
  for (int h = 0; h < 2; ++h) {
    const __m512i* pair = chunk.pair[h];
    const __m512i low0123 = _mm512_unpacklo_epi64(pair[0], pair[1]);
    const __m512i high0123 = _mm512_unpackhi_epi64(pair[0], pair[1]);
    const __m512i low4567 = _mm512_unpacklo_epi64(pair[2], pair[3]);
    const __m512i high4567 = _mm512_unpackhi_epi64(pair[2], pair[3]);
    m[2 * h] = split(_mm512_shuffle_i64x2(low0123, low4567, 0x88),
                     _mm512_shuffle_i64x2(high0123, high4567, 0x88));
    m[2 * h + 1] = split(_mm512_shuffle_i64x2(low0123, low4567, 0xdd),
                         _mm512_shuffle_i64x2(high0123, high4567, 0xdd));
  }
}

inline void load_full(const Lanes& lanes, Limbs (&m)[kChunkBlocks]) noexcept {
  transpose(load_chunk(lanes), m);
  for (Limbs& block : m) block.l2 = _mm512_or_si512(block.l2, set1(kPadBit));
}

/// A step in which some lanes begin, end with a part of a block, or have not begun: masks keep
/// loads within the text, and blocks before it get no 2^128, so that they count as nothing.
inline void load_masked(const Lanes& lanes, Limbs (&m)[kChunkBlocks]) noexcept {
  const __m512i skip = _mm512_sub_epi64(_mm512_setzero_si512(), lanes.offset);
  transpose(load_chunk_masked(lanes, skip), m);
  for (int q = 0; q < kChunkBlocks; ++q) {
    const __mmask8 begun = _mm512_cmple_epi64_mask(skip, set1(16 * static_cast<uint64_t>(q)));
    m[q].l2 = _mm512_mask_or_epi64(m[q].l2, begun, m[q].l2, set1(kPadBit));
  }
}

template <bool kStrands>
inline Limbs add_chunk(Limbs h, const Limbs (&m)[kChunkBlocks], const Powers& powers) noexcept {
  Sums sum{}, other{};  // two chains for each sum
  multiply_add(sum, m[3], powers.r[0]);
  multiply_add(other, m[2], powers.r[1]);
  multiply_add(other, m[1], powers.r[2]);
  if constexpr (kStrands) {
    multiply_add(sum, m[0], powers.r[3]);
    multiply_add(sum, h, powers.stride);
  } else {
    multiply_add(sum, add(h, m[0]), powers.r[3]);
  }
  return reduce(add(sum, other));
}

/// All chunks of kRegisters registers of lanes, which do not depend on each other: while one waits
/// for its carries, the other multiplies.
template <uint32_t kRegisters, bool kStrands>
inline void walk_chunks(Lanes (&lanes)[kRegisters], const Steps& steps,
                        const Powers (&powers)[kRegisters], Limbs (&h)[kRegisters]) noexcept {
  for (Limbs& sum : h) sum = Limbs{};
  for (int64_t step = steps.all - 1; step >= 0; --step) {
    const bool full = step >= steps.full_begin && step < steps.full_end;
    for (uint32_t i = 0; i < kRegisters; ++i) {
      Limbs m[kChunkBlocks];
      if (full) {
        load_full(lanes[i], m);
      } else {
        load_masked(lanes[i], m);
      }
      lanes[i].offset = _mm512_add_epi64(lanes[i].offset, lanes[i].stride);
      h[i] = add_chunk<kStrands>(h[i], m, powers[i]);
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

/// tag = (h + s) mod 2^128.
inline void store_tags(const Limbs& h, __m512i s_low, __m512i s_high, uint32_t first,
                       PolyTags& tags) noexcept {
  const __m512i low = _mm512_or_si512(h.l0, _mm512_slli_epi64(h.l1, 44));
  const __m512i high = _mm512_or_si512(_mm512_srli_epi64(h.l1, 20), _mm512_slli_epi64(h.l2, 24));
  const __m512i sum = _mm512_add_epi64(low, s_low);
  const __mmask8 carry = _mm512_cmplt_epu64_mask(sum, low);
  const __m512i top = _mm512_add_epi64(high, s_high);
  _mm512_store_si512(tags.half[0] + first, sum);
  _mm512_store_si512(tags.half[1] + first, _mm512_mask_add_epi64(top, carry, top, set1(1)));
}

template <uint32_t kRegisters>
inline void fill_powers(const PolyKeys& keys, const Lanes (&lanes)[kRegisters],
                        Powers (&powers)[kRegisters]) noexcept {
  for (uint32_t i = 0; i < kRegisters; ++i) {
    const __m512i packet = lanes[i].packet;
    const __m512i low = _mm512_and_si512(key_half(keys, packet, 0), set1(0x0ffffffc0fffffff));
    const __m512i high = _mm512_and_si512(key_half(keys, packet, 2), set1(0x0ffffffc0ffffffc));
    powers[i].r[0] = make_power(split(low, high));
  }
  for (int n = 1; n < kChunkBlocks; ++n) {
    const int a = (n - 1) / 2, b = n - 1 - a;  // r^(n + 1) = r^(a + 1) r^(b + 1)
    for (Powers& p : powers) p.r[n] = make_power(multiply(p.r[a].r, p.r[b]));
  }
}

/// The closing block, the last reduction, s.
inline void finish(const PolyKeys& keys, const Lanes& lanes, const Limbs& h, const Power& r,
                   uint32_t first, PolyTags& tags) noexcept {
  const Limbs frozen = freeze(multiply(add(h, lanes.closing), r));
  store_tags(frozen, key_half(keys, lanes.packet, 4), key_half(keys, lanes.packet, 6), first, tags);
}

template <uint32_t kRegisters>
inline void make_tags(const PolyKeys& keys, const PolyTexts& texts, PolyTags& tags) noexcept {
  Lanes lanes[kRegisters];
  Powers powers[kRegisters];
  Limbs h[kRegisters];
  const Steps steps = load_lanes(texts, lanes);
  fill_powers(keys, lanes, powers);
  walk_chunks<kRegisters, false>(lanes, steps, powers, h);
  for (uint32_t i = 0; i < kRegisters; ++i) {
    finish(keys, lanes[i], h[i], powers[i].r[0], i * kPolyLanes, tags);
  }
}

}  // namespace

void poly1305_ifma(const PolyKeys& keys, const PolyTexts& texts, PolyTags& tags) noexcept {
  if (texts.registers == 2) {
    make_tags<2>(keys, texts, tags);
  } else {
    make_tags<1>(keys, texts, tags);
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
