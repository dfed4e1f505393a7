// Poly1305 in general registers; see poly1305_mulx.h. Built for BMI2: call nothing here before
// cpu.h says that the processor has it.
//
// Why nothing overflows. r is clamped: r0, r1 < 2^60. Reduced, h2 <= 4; a block adds at most 2^128
// + carry, so h2 <= 6 when multiplied. With s1 = 5 r1 / 4 < 2^60.33 (r1 is a multiple of 4):
//   d0 = h0 r0 + h1 s1            < 2^64 (2^60 + 2^60.33)          < 2^126
//   d1 = h0 r1 + h1 r0 + h2 s1    < 2^64 (2^60 + 2^60) + 6 * 2^60.33 < 2^126
//   d2 = h2 r0                    < 6 * 2^60 < 2^63
// and d2 with the carry out of d1, below 2^62, stays below 2^64. Its top, from bit 2 on, comes back
// times 5: below 2^64.4 / 4 * 5; it is added as 4 (top) and (top), each of which fits.
#include "crypto/lanes/poly1305_mulx.h"

#include <cstring>

namespace wirelay::crypto::lanes {

namespace {

__extension__ using Wide = unsigned __int128;

struct State {
  uint64_t h0 = 0, h1 = 0, h2 = 0;
  uint64_t r0 = 0, r1 = 0, s1 = 0;
};

inline uint64_t low(Wide x) noexcept { return static_cast<uint64_t>(x); }
inline uint64_t high(Wide x) noexcept { return static_cast<uint64_t>(x >> 64); }

/// h = (h + block + 2^128) r.
inline void add_block(State& s, uint64_t m0, uint64_t m1) noexcept {
  Wide sum = Wide{s.h0} + m0;
  const uint64_t h0 = low(sum);
  sum = Wide{s.h1} + m1 + high(sum);
  const uint64_t h1 = low(sum);
  const uint64_t h2 = s.h2 + high(sum) + 1;
  const Wide d0 = Wide{h0} * s.r0 + Wide{h1} * s.s1;
  const Wide d1 = Wide{h0} * s.r1 + Wide{h1} * s.r0 + h2 * s.s1 + high(d0);
  const uint64_t d2 = h2 * s.r0 + high(d1);
  sum = Wide{low(d0)} + (d2 & ~uint64_t{3});
  Wide next = Wide{low(d1)} + high(sum);
  sum = Wide{low(sum)} + (d2 >> 2);
  s.h0 = low(sum);
  next += high(sum);
  s.h1 = low(next);
  s.h2 = (d2 & 3) + high(next);
}

inline void add_text_block(State& s, const uint8_t* block) noexcept {
  uint64_t m[2];
  std::memcpy(m, block, sizeof m);
  add_block(s, m[0], m[1]);
}

inline uint64_t key_half(const PolyKeys& keys, uint32_t packet, uint32_t word) noexcept {
  return keys.word[word][packet] | uint64_t{keys.word[word + 1][packet]} << 32;
}

inline void start(State& s, const PolyKeys& keys, uint32_t packet) noexcept {
  s.r0 = key_half(keys, packet, 0) & 0x0ffffffc0fffffff;
  s.r1 = key_half(keys, packet, 2) & 0x0ffffffc0ffffffc;
  s.s1 = s.r1 + (s.r1 >> 2);
}

/// Blocks [done, ...) of the text, the last one filled with zeros, and the closing block.
inline void add_rest(State& s, const PolyMessage& message, uint64_t done) noexcept {
  for (; done + 16 <= message.bytes; done += 16) add_text_block(s, message.text + done);
  if (done < message.bytes) {
    uint8_t block[16] = {};
    for (uint64_t i = done; i < message.bytes; ++i) block[i - done] = message.text[i];
    add_text_block(s, block);
  }
  add_block(s, message.closing[0], message.closing[1]);
}

/// tag = (h mod 2^130 - 5) + s mod 2^128. h is below 2 (2^130 - 5), so one subtraction does it, of
/// which only the low 128 bits matter; it is taken where it does not go below zero.
inline void finish(const State& s, const PolyKeys& keys, uint32_t packet,
                   uint64_t (&tag)[2]) noexcept {
  const Wide g0 = Wide{s.h0} + 5;
  const Wide g1 = Wide{s.h1} + high(g0);
  const uint64_t g2 = s.h2 + high(g1);
  const uint64_t take = uint64_t{0} - (g2 >> 2);  // g2 is below 8: all ones or zero
  const uint64_t h0 = (s.h0 & ~take) | (low(g0) & take);
  const uint64_t h1 = (s.h1 & ~take) | (low(g1) & take);
  const Wide t0 = Wide{h0} + key_half(keys, packet, 4);
  tag[0] = low(t0);
  tag[1] = h1 + key_half(keys, packet, 6) + high(t0);
}

}  // namespace

void poly1305_mulx(const PolyKeys& keys, const PolyMessage (&messages)[kPolyMessages],
                   uint64_t (&tags)[kPolyMessages][2]) noexcept {
  State state[kPolyMessages];
  uint64_t common = messages[0].bytes;  // bytes that all have
  for (uint32_t i = 0; i < kPolyMessages; ++i) {
    start(state[i], keys, messages[i].packet);
    if (messages[i].bytes < common) common = messages[i].bytes;
  }
  uint64_t done = 0;
  for (; done + 16 <= common; done += 16) {
    for (uint32_t i = 0; i < kPolyMessages; ++i) {
      add_text_block(state[i], messages[i].text + done);
    }
  }
  for (uint32_t i = 0; i < kPolyMessages; ++i) {
    add_rest(state[i], messages[i], done);
    finish(state[i], keys, messages[i].packet, tags[i]);
  }
}

}  // namespace wirelay::crypto::lanes
