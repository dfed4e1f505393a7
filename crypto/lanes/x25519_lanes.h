// X25519 in lanes (RFC 7748), over the arithmetic of the field header that a kernel includes before
// this: a Montgomery ladder for points that come from outside, a comb for the base point. Nothing
// depends on scalars or points but what is in registers: no branch, no address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "crypto/lanes/x25519_kernel.h"

namespace wirelay::crypto::lanes {

namespace {

[[gnu::always_inline]] inline Factor times(const Factor& a, const Factor& b) noexcept {
  return carry_two(multiply(a, b));
}

/// a^(2^times)
inline Factor square_times(Factor a, int times) noexcept {
  for (int i = 0; i < times; ++i) a = carry_two(square(a));
  return a;
}

/// 1 / a by Fermat: a^(p - 2), 254 squarings and 11 multiplications; 0 of 0.
[[gnu::noinline]] inline Factor invert(const Factor& a) noexcept {
  const Factor a2 = square_times(a, 1);
  const Factor a9 = times(a, square_times(a2, 2));
  const Factor a11 = times(a9, a2);
  const Factor e5 = times(square_times(a11, 1), a9);  // a^(2^5 - 1), and so on
  const Factor e10 = times(square_times(e5, 5), e5);
  const Factor e20 = times(square_times(e10, 10), e10);
  const Factor e40 = times(square_times(e20, 20), e20);
  const Factor e50 = times(square_times(e40, 10), e10);
  const Factor e100 = times(square_times(e50, 50), e50);
  const Factor e200 = times(square_times(e100, 100), e100);
  const Factor e250 = times(square_times(e200, 50), e50);
  return times(square_times(e250, 5), a11);
}

/// Numbers of 32 bytes, one a lane; secret ones are wiped with the stack.
inline Words gather(const uint8_t* const (&bytes)[kLanes]) noexcept {
  uint64_t word[4][kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) std::memcpy(&word[i][lane], bytes[lane] + 8 * i, 8);
  }
  return load_words(word);
}

inline void scatter(const Words& words, uint8_t* const (&bytes)[kLanes]) noexcept {
  uint64_t word[4][kLanes];
  store_words(words, word);
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) std::memcpy(bytes[lane] + 8 * i, &word[i][lane], 8);
  }
}

/// u = above / below, and u = 0 where below is 0.
struct Fraction {
  Factor above, below;
};

// The ladder -----------------------------------------------------------------------------------

constexpr uint64_t kA24 = 121665;  // (486662 - 2) / 4

struct MontgomeryPoint {
  Sum x, z;
};

/// One step: of the points k and k + 1, the one that `doubled_second` names is doubled into
/// `first`, and their sum, which lies `u` from them, goes into `second`. The sum is the same
/// whichever of the two comes first, so that nothing but what is doubled needs a choice.
[[gnu::always_inline]] inline void step(MontgomeryPoint& first, MontgomeryPoint& second,
                                        const Factor& u, Mask doubled_second) noexcept {
  const Factor a = carry_two(add(first.x, first.z)), b = carry_two(subtract(first.x, first.z));
  const Factor c = carry_two(add(second.x, second.z)), d = carry_two(subtract(second.x, second.z));
  const Sum da = multiply(d, a), cb = multiply(c, b);
  const Sum aa = square(blend(a, c, doubled_second)), bb = square(blend(b, d, doubled_second));
  const Factor sum = carry_two(add(da, cb)), difference = carry_two(subtract(da, cb));
  const Factor e = carry_two(subtract(aa, bb));
  first.x = multiply(carry_two(aa), carry_two(bb));
  first.z = multiply(e, carry(multiply_add_small(aa, e, kA24)));
  second.x = square(sum);
  second.z = multiply(u, carry_two(square(difference)));
}

/// `scalars` are clamped here. The first bit is always 1, and the last three are always 0.
inline Fraction ladder(const Words& scalars, const Words& points) noexcept {
  const Factor u = from_words(points);
  MontgomeryPoint first{to_sum(number(1)), to_sum(number(0))};
  MontgomeryPoint second{to_sum(u), to_sum(number(1))};
  Mask before = no_lanes();
  for (int bit = 254; bit >= 0; --bit) {
    Mask now = no_lanes();
    if (bit == 254) now = all_lanes();
    if (bit < 254 && bit > 2) now = test_bit(scalars, bit / 64, static_cast<unsigned>(bit % 64));
    step(first, second, u, differ(now, before));
    before = now;
  }
  return {carry_two(first.x), carry_two(first.z)};  // the last bit is 0: nothing changes places
}

// The base point ---------------------------------------------------------------------------------

// On the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2, of which X25519's is another form:
// u = (1 + y) / (1 - y).
constexpr uint64_t kBaseX[4] = {0xc9562d608f25d51a, 0x692cc7609525a7b2, 0xc0a4e231fdd6dc5c,
                                0x216936d3cd6e53fe};
constexpr uint64_t kBaseY[4] = {0x6666666666666658, 0x6666666666666666, 0x6666666666666666,
                                0x6666666666666666};
constexpr uint64_t kTwiceD[4] = {0xebd69b9426b2f159, 0x00e0149a8283b156, 0x198e80f2eef3d130,
                                 0x2406d9dc56dffce7};

inline Factor constant(const uint64_t (&words)[4]) noexcept {
  uint64_t word[4][kLanes];
  for (int i = 0; i < 4; ++i) {
    for (uint64_t& lane : word[i]) lane = words[i];
  }
  return from_words(load_words(word));
}

/// x = X / Z, y = Y / Z, x y = T / Z.
struct EdwardsPoint {
  Factor x, y, z, t;
};

/// A point whose Z is 1, as additions want it.
struct Addend {
  Factor y_plus_x, y_minus_x, two_d_xy;
};

/// The last step of additions and doublings.
[[gnu::always_inline]] inline EdwardsPoint complete(const Factor& x, const Factor& y,
                                                    const Factor& z, const Factor& t) noexcept {
  return {times(x, t), times(y, z), times(z, t), times(x, y)};
}

/// p + q, or p - q where the addend, with y + x and y - x in each other's place, says so.
[[gnu::always_inline]] inline EdwardsPoint add(const EdwardsPoint& p, const Addend& q,
                                               Mask negative) noexcept {
  const Sum x = to_sum(p.x), y = to_sum(p.y), z = to_sum(p.z);
  const Sum a = multiply(carry(subtract(y, x)), q.y_minus_x);
  const Sum b = multiply(carry(add(y, x)), q.y_plus_x);
  const Sum c = multiply(p.t, q.two_d_xy);
  const Sum d = add(z, z);
  const Factor more = carry(add(d, c)), less = carry(subtract(d, c));
  return complete(carry(subtract(b, a)), carry(add(b, a)), blend(more, less, negative),
                  blend(less, more, negative));
}

[[gnu::always_inline]] inline EdwardsPoint twice(const EdwardsPoint& p) noexcept {
  const Sum xx = square(p.x), yy = square(p.y), zz = square(p.z);
  const Sum both = square(carry(add(to_sum(p.x), to_sum(p.y))));
  const Factor y = carry(add(yy, xx)), z = carry(subtract(yy, xx));
  return complete(carry(subtract(both, to_sum(y))), y, z, carry(subtract(add(zz, zz), to_sum(z))));
}

inline EdwardsPoint twice(EdwardsPoint p, int times) noexcept {
  for (int i = 0; i < times; ++i) p = twice(p);
  return p;
}

inline EdwardsPoint neutral() noexcept { return {number(0), number(1), number(1), number(0)}; }

inline EdwardsPoint blend(const EdwardsPoint& a, const EdwardsPoint& b, Mask take_b) noexcept {
  return {blend(a.x, b.x, take_b), blend(a.y, b.y, take_b), blend(a.z, b.z, take_b),
          blend(a.t, b.t, take_b)};
}

inline Addend to_addend(const EdwardsPoint& p, const Factor& two_d) noexcept {
  const Factor inverse = invert(p.z);
  const Factor x = times(p.x, inverse), y = times(p.y, inverse);
  return {carry(add(to_sum(y), to_sum(x))), carry(subtract(to_sum(y), to_sum(x))),
          times(times(x, y), two_d)};
}

constexpr int kTeeth = 32;  // two digits of 4 bits apart

/// For each tooth i the points 1 to 8 times 256^i of the base point. Nothing secret.
struct Comb {
  struct Tooth {
    Row y_plus_x, y_minus_x, two_d_xy;
  };
  Tooth tooth[kTeeth];

  Comb() noexcept;
};

[[gnu::noinline]] inline Comb::Comb() noexcept {
  constexpr int kPoints = 8;
  const Factor two_d = constant(kTwiceD);
  EdwardsPoint unit{constant(kBaseX), constant(kBaseY), number(1), number(0)};
  unit.t = times(unit.x, unit.y);
  for (Tooth& row : tooth) {
    const Addend one = to_addend(unit, two_d);
    EdwardsPoint sum = neutral();
    for (int first = 0; first < kPoints; first += kLanes) {
      // Lane i, number first + i of them, goes on until it is first + i + 1 times the unit.
      sum = EdwardsPoint{spread(sum.x, kLanes - 1), spread(sum.y, kLanes - 1),
                         spread(sum.z, kLanes - 1), spread(sum.t, kLanes - 1)};
      for (int lane = 0; lane < kLanes; ++lane) {
        sum = blend(sum, add(sum, one, no_lanes()), lanes_from(lane));
      }
      const Addend some = to_addend(sum, two_d);
      store(row.y_plus_x, some.y_plus_x, first);
      store(row.y_minus_x, some.y_minus_x, first);
      store(row.two_d_xy, some.two_d_xy, first);
    }
    const EdwardsPoint last{spread(sum.x, kLanes - 1), spread(sum.y, kLanes - 1),
                            spread(sum.z, kLanes - 1), spread(sum.t, kLanes - 1)};
    unit = twice(last, 5);  // 8 * 2^5 = 256
  }
}

constexpr int kDigits = 64;

/// Clamped scalars as digits from -8 to 8 of 4 bits each; the last one is below 9.
inline void to_digits(const uint8_t* const (&scalars)[kLanes],
                      int8_t (&digits)[kDigits][kLanes]) noexcept {
  for (int lane = 0; lane < kLanes; ++lane) {
    int carry = 0;
    for (int i = 0; i < kDigits; ++i) {
      int byte = scalars[lane][i / 2];
      if (i / 2 == 0) byte &= 248;
      if (i / 2 == 31) byte = (byte & 127) | 64;
      const int digit = (i % 2 == 0 ? byte & 15 : byte >> 4) + carry;
      carry = i + 1 < kDigits ? (digit + 8) >> 4 : 0;
      digits[i][lane] = static_cast<int8_t>(digit - (carry << 4));
    }
  }
}

[[gnu::always_inline]] inline EdwardsPoint add_picked(const EdwardsPoint& p,
                                                      const Comb::Tooth& tooth,
                                                      const int8_t (&digit)[kLanes]) noexcept {
  const Digits digits = load_digits(digit);
  const Factor one = number(1);
  const Factor plus = blend(pick(tooth.y_plus_x, digits), one, digits.zero);
  const Factor minus = blend(pick(tooth.y_minus_x, digits), one, digits.zero);
  const Factor product = blend(pick(tooth.two_d_xy, digits), number(0), digits.zero);
  return add(p, {blend(plus, minus, digits.negative), blend(minus, plus, digits.negative), product},
             digits.negative);
}

/// Odd digits first: times 16 they count as much as the even ones.
inline Fraction comb(const Comb& comb, const uint8_t* const (&scalars)[kLanes]) noexcept {
  int8_t digits[kDigits][kLanes];
  to_digits(scalars, digits);
  EdwardsPoint sum = neutral();
  for (int i = 0; i < kTeeth; ++i) sum = add_picked(sum, comb.tooth[i], digits[2 * i + 1]);
  sum = twice(sum, 4);
  for (int i = 0; i < kTeeth; ++i) sum = add_picked(sum, comb.tooth[i], digits[2 * i]);
  const Sum y = to_sum(sum.y), z = to_sum(sum.z);
  return {carry(add(z, y)), carry(subtract(z, y))};
}

// Both -------------------------------------------------------------------------------------------

/// Of each group the values of its fractions. One inversion is enough for all: of the product of
/// everything below. What is 0 there counts as 1, and gives 0.
inline void divide(const Fraction* fractions, const X25519Group<kLanes>* groups,
                   size_t count) noexcept {
  Factor below[kX25519Groups], before[kX25519Groups];  // the product of those before
  Mask none[kX25519Groups];
  Factor product = number(1);
  for (size_t i = 0; i < count; ++i) {
    none[i] = is_zero(freeze(fractions[i].below));
    below[i] = blend(fractions[i].below, number(1), none[i]);
    before[i] = product;
    product = times(product, below[i]);
  }
  Factor inverse = invert(product);
  for (size_t i = count; i-- > 0;) {
    const Factor u = times(fractions[i].above, times(inverse, before[i]));
    inverse = times(inverse, below[i]);
    scatter(to_words(freeze(blend(u, number(0), none[i]))), groups[i].out);
  }
}

[[gnu::noinline]] inline void multiply_groups(const X25519Group<kLanes>* groups,
                                              size_t count) noexcept {
  static const Comb base;
  Fraction fractions[kX25519Groups];
  for (size_t i = 0; i < count; ++i) {
    const X25519Group<kLanes>& group = groups[i];
    fractions[i] = group.point[0] == nullptr ? comb(base, group.scalar)
                                             : ladder(gather(group.scalar), gather(group.point));
  }
  divide(fractions, groups, count);
}

}  // namespace

}  // namespace wirelay::crypto::lanes
