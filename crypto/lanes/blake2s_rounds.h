// The rounds of BLAKE2s in lanes. The kernel that includes this has defined before `Vector`, a GNU
// vector of uint32_t, and rotate_right<bits>() of it, in an anonymous namespace.
#pragma once

#include <cstdint>
#include <cstring>

#include "crypto/lanes/blake2s_kernel.h"

namespace wirelay::crypto::lanes {

namespace {

constexpr size_t kVectorLanes = sizeof(Vector) / sizeof(uint32_t);
static_assert(kHashLanes % kVectorLanes == 0);

constexpr uint32_t kBlake2sStart[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

constexpr uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

[[gnu::always_inline]] inline Vector load(const uint32_t* words) noexcept {
  Vector out;
  std::memcpy(&out, words, sizeof out);
  return out;
}

[[gnu::always_inline]] inline void store(uint32_t* words, Vector value) noexcept {
  std::memcpy(words, &value, sizeof value);
}

[[gnu::always_inline]] inline Vector all(uint32_t value) noexcept { return value - Vector{}; }

/// Half of a mixing function of all four columns, or diagonals: the words of `v` are rows.
template <int kTurnD, int kTurnB>
[[gnu::always_inline]] inline void mix_half(Vector (&v)[16], const uint8_t (&at)[4][4],
                                            const Vector (&m)[4]) noexcept {
  for (int i = 0; i < 4; ++i) v[at[i][0]] += v[at[i][1]] + m[i];
  for (int i = 0; i < 4; ++i) v[at[i][3]] = rotate_right<kTurnD>(v[at[i][3]] ^ v[at[i][0]]);
  for (int i = 0; i < 4; ++i) v[at[i][2]] += v[at[i][3]];
  for (int i = 0; i < 4; ++i) v[at[i][1]] = rotate_right<kTurnB>(v[at[i][1]] ^ v[at[i][2]]);
}

constexpr uint8_t kColumns[4][4] = {{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15}};
constexpr uint8_t kDiagonals[4][4] = {{0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}};

/// `order`: of the eight words that it takes, two for each of the four.
[[gnu::always_inline]] inline void mix(Vector (&v)[16], const uint8_t (&at)[4][4],
                                       const HashWords<16>& block, size_t lane,
                                       const uint8_t* order) noexcept {
  const auto words = [&](int which, Vector(&m)[4]) {
    for (int i = 0; i < 4; ++i) m[i] = load(&block[order[2 * i + which]][lane]);
  };
  Vector m[4];
  words(0, m);
  mix_half<16, 12>(v, at, m);
  words(1, m);
  mix_half<8, 7>(v, at, m);
}

[[gnu::always_inline]] inline void compress(HashWords<8>& state, const HashWords<16>& block,
                                            uint64_t bytes, bool last, size_t lane) noexcept {
  Vector v[16];
  for (size_t i = 0; i < 8; ++i) v[i] = load(&state[i][lane]);
  for (size_t i = 0; i < 8; ++i) v[8 + i] = all(kBlake2sStart[i]);
  v[12] ^= all(static_cast<uint32_t>(bytes));
  v[13] ^= all(static_cast<uint32_t>(bytes >> 32));
  if (last) v[14] = ~v[14];
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    mix(v, kColumns, block, lane, kSigma[round]);
    mix(v, kDiagonals, block, lane, kSigma[round] + 8);
  }
  for (size_t i = 0; i < 8; ++i) store(&state[i][lane], load(&state[i][lane]) ^ v[i] ^ v[8 + i]);
}

[[gnu::always_inline]] inline void compress_all(HashWords<8>& state, const HashWords<16>& block,
                                                uint64_t bytes, bool last,
                                                size_t messages) noexcept {
  for (size_t lane = 0; lane < messages; lane += kVectorLanes) {
    compress(state, block, bytes, last, lane);
  }
}

}  // namespace

}  // namespace wirelay::crypto::lanes
