// How texts come into the lanes of poly1305_ifma.cc, for that file alone: addresses of chunks, and
// the transpose that turns 8 rows of text into columns of limbs. Internal linkage, as in
// field_ifma.h.
//
// Chunks end where the text, padded to blocks, ends, so the first one may begin before it, and a
// lane may have nothing to do in the first steps. All are loaded whole nevertheless, from
// somewhere:
//
//     step         4         3         2         1         0
//     chunk    | zeros   | zeros   | head    | text    | text   t |
//                                  | 00 text |                  up to 15 bytes of the tag's place,
//                                a copy, made before the walk   cut off in the register
#pragma once

#include "crypto/lanes/field_ifma.h"
#include "crypto/lanes/poly1305_ifma.h"

namespace wirelay::crypto::lanes {

namespace {

constexpr int kChunkBlocks = 4;

/// One register of lanes, as the kernel works on it. Places in the text are plain addresses: a
/// chunk may begin before its text, where pointer arithmetic is not defined.
struct alignas(64) Lanes {
  uint64_t at[2][kPolyLanes];  // where each lane's next chunk begins, in steps of even number and
                               // of odd number: written a step before it is read
  uint64_t from[kPolyLanes];   // in a step in which not all have begun: where to load it from
  uint8_t head[kPolyLanes][kChunkBytes];  // first chunks that begin before their text
  __m512i begin, end;                     // of each lane's text
  __m512i stride;                         // from a chunk to the lane's next
  __m512i packet;  // index of the packet, in the low and in the high half of the lane
  Limbs closing;
};

alignas(64) constexpr uint8_t kZeros[kChunkBytes] = {};

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

/// Copies each text's first chunk, with zeros for what is before the text.
inline void copy_heads(__m512i bytes, Lanes& lanes) noexcept {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i skip =
      _mm512_and_si512(_mm512_sub_epi64(zero, padded(bytes)), set1(kChunkBytes - 1));
  const __mmask8 any = _mm512_test_epi64_mask(bytes, bytes);
  alignas(64) uint64_t mask[kPolyLanes], at[kPolyLanes];
  to_memory(mask, _mm512_maskz_sllv_epi64(any, set1(~uint64_t{0}), skip));
  to_memory(at, _mm512_sub_epi64(lanes.begin, skip));
  for (uint32_t i = 0; i < kPolyLanes; ++i) {
    const auto* from = reinterpret_cast<const void*>(at[i]);  // NOLINT
    _mm512_store_si512(lanes.head[i], _mm512_maskz_loadu_epi8(mask[i], from));
  }
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
  const __m512i all = set1(static_cast<uint64_t>(chunks) * kChunkBytes);
  __m512i any_bytes = _mm512_setzero_si512(), shortest = all;
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    const uint32_t first = i * kPolyLanes;
    set_packets(_mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(texts.first + first)), count),
                lanes[i]);
    const __m512i bytes = _mm512_loadu_si512(texts.bytes + first);
    const __m512i whole = padded(bytes);
    lanes[i].stride = set1(kChunkBytes);
    set_texts(texts.text + first, bytes, _mm512_sub_epi64(whole, all), chunks, lanes[i]);
    any_bytes = _mm512_or_si512(any_bytes, bytes);
    shortest = _mm512_min_epi64(shortest, whole);
    set_closing(texts.closing[0] + first, texts.closing[1] + first, lanes[i]);
  }
  const bool part_ends = _mm512_test_epi64_mask(any_bytes, set1(15)) != 0;
  const int64_t full_begin = part_ends ? 1 : 0;
  if (_mm512_cmplt_epi64_mask(shortest, all) == 0) return {chunks, full_begin, chunks};
#pragma GCC unroll 2
  for (uint32_t i = 0; i < kRegisters; ++i) {
    copy_heads(_mm512_loadu_si512(texts.bytes + size_t{i} * kPolyLanes), lanes[i]);
  }
  return {chunks, full_begin, _mm512_reduce_min_epi64(shortest) / kChunkBytes};
}

inline Steps load_lanes(const PolyStrands& strands, Lanes (&lanes)[1]) noexcept {
  set_packets(_mm256_load_si256(reinterpret_cast<const __m256i*>(strands.packet)), lanes[0]);
  const __m512i stride = _mm512_load_si512(strands.stride);
  const __m512i last = _mm512_load_si512(strands.last);
  const __m512i before = _mm512_mullo_epi64(stride, set1(static_cast<uint64_t>(strands.steps - 1)));
  lanes[0].stride = stride;
  set_texts(strands.text, _mm512_load_si512(strands.bytes), _mm512_sub_epi64(last, before),
            strands.steps, lanes[0]);
  set_closing(strands.closing[0], strands.closing[1], lanes[0]);
  if (strands.full_end < strands.steps) copy_heads(_mm512_load_si512(strands.bytes), lanes[0]);
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

/// Two blocks of 8 rows as columns, row i in lane i.
struct Columns {
  __m512i low[2], high[2];
};

[[gnu::always_inline]] inline Columns transpose(const HalfChunk& chunk) noexcept {
  const __m512i* pair = chunk.pair;
  const __m512i low0123 = _mm512_unpacklo_epi64(pair[0], pair[1]);
  const __m512i high0123 = _mm512_unpackhi_epi64(pair[0], pair[1]);
  const __m512i low4567 = _mm512_unpacklo_epi64(pair[2], pair[3]);
  const __m512i high4567 = _mm512_unpackhi_epi64(pair[2], pair[3]);
  return {
      {_mm512_shuffle_i64x2(low0123, low4567, 0x88), _mm512_shuffle_i64x2(low0123, low4567, 0xdd)},
      {_mm512_shuffle_i64x2(high0123, high4567, 0x88),
       _mm512_shuffle_i64x2(high0123, high4567, 0xdd)}};
}

/// Two blocks of each lane as limbs, from the lower or the upper half of its chunk.
[[gnu::always_inline]] inline void load_blocks(const Lanes& lanes, int64_t step, uint32_t half,
                                               Limbs (&m)[2]) noexcept {
  const Columns c = transpose(load_half(lanes.at[step & 1], half));
#pragma GCC unroll 2
  for (uint32_t q = 0; q < 2; ++q) m[q] = split(c.low[q], c.high[q], set1(1));
}

/// For a step in which some lanes begin or end: says where their chunks are.
inline void choose_texts(Lanes& lanes, int64_t step) noexcept {
  const __m512i at = _mm512_load_si512(lanes.at[step & 1]);
  const __m512i skip = _mm512_sub_epi64(lanes.begin, at);  // bytes before the text, if above 0
  const __m512i head = _mm512_add_epi64(set1(reinterpret_cast<uintptr_t>(lanes.head)),
                                        _mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448));
  const __m512i begun =
      _mm512_mask_mov_epi64(at, _mm512_cmpgt_epi64_mask(skip, _mm512_setzero_si512()), head);
  to_memory(lanes.from,
            _mm512_mask_mov_epi64(begun, _mm512_cmpge_epi64_mask(skip, set1(kChunkBytes)),
                                  set1(reinterpret_cast<uintptr_t>(kZeros))));
}

/// Clears what of the last blocks is behind their texts.
[[gnu::always_inline]] inline void cut_off(const Lanes& lanes, Columns& c) noexcept {
  const __m512i ones = set1(~uint64_t{0}), zero = _mm512_setzero_si512();
  const __m512i at = _mm512_add_epi64(_mm512_load_si512(lanes.at[0]), set1(kChunkBytes - 16));
  const __m512i bits = _mm512_slli_epi64(_mm512_sub_epi64(lanes.end, at), 3);
  const __m512i high_bits = _mm512_max_epi64(_mm512_sub_epi64(bits, set1(64)), zero);
  // Shifts by 64 and more leave nothing.
  c.low[1] = _mm512_andnot_si512(_mm512_sllv_epi64(ones, bits), c.low[1]);
  c.high[1] = _mm512_andnot_si512(_mm512_sllv_epi64(ones, high_bits), c.high[1]);
}

/// Two blocks of each lane then. Blocks before the text get no 2^128, so that they count as
/// nothing.
[[gnu::always_inline]] inline void load_chosen_blocks(const Lanes& lanes, int64_t step,
                                                      uint32_t half, Limbs (&m)[2]) noexcept {
  const __m512i skip = _mm512_sub_epi64(lanes.begin, _mm512_load_si512(lanes.at[step & 1]));
  Columns c = transpose(load_half(lanes.from, half));
  if (step == 0 && half == 1) cut_off(lanes, c);
#pragma GCC unroll 2
  for (uint32_t q = 0; q < 2; ++q) {
    const __mmask8 begun = _mm512_cmple_epi64_mask(skip, set1(32 * half + 16 * q));
    m[q] = split(c.low[q], c.high[q], _mm512_maskz_mov_epi64(begun, set1(1)));
  }
}

/// Says where the chunks of the step after this one begin.
template <uint32_t kRegisters>
[[gnu::always_inline]] inline void look_ahead(Lanes (&lanes)[kRegisters], int64_t step) noexcept {
  const int64_t turn = step & 1;
#pragma GCC unroll 4
  for (Lanes& l : lanes) {
    to_memory(l.at[1 - turn], _mm512_add_epi64(_mm512_load_si512(l.at[turn]), l.stride));
  }
}

}  // namespace

}  // namespace wirelay::crypto::lanes
