// The layout of receiver indices and the permutation that hides it.
#include "dataplane/tables/index_layout.h"

#include <bit>
#include <stdexcept>
#include <string>

#include "crypto/keys.h"

namespace wirelay::dataplane {

namespace {

constexpr unsigned kMinTagBits = 6;

/// The inverse of an odd number modulo 2^32 (Newton): each step doubles the bits that are right,
/// three to begin with.
uint32_t inverse(uint32_t odd) noexcept {
  uint32_t out = odd;
  for (int i = 0; i < 4; ++i) out *= 2 - odd * out;
  return out;
}

}  // namespace

IndexPermutation IndexPermutation::draw() {
  IndexPermutation out;
  out.hide_first_ = crypto::random_u32() | 1;
  out.hide_second_ = crypto::random_u32() | 1;
  out.show_first_ = inverse(out.hide_second_);
  out.show_second_ = inverse(out.hide_first_);
  out.mask_ = crypto::random_u32();
  return out;
}

IndexLayout IndexLayout::make(uint32_t slots, uint32_t workers) {
  if (slots == 0 || workers == 0) {
    throw std::invalid_argument("a session table needs a slot and a worker");
  }
  const int slot_bits = std::bit_width(slots - 1);
  const int owner_bits = std::bit_width(workers - 1);
  if (slot_bits + owner_bits + static_cast<int>(kMinTagBits) > 32) {
    throw std::invalid_argument(std::to_string(slots) + " sessions and " + std::to_string(workers) +
                                " workers leave no room in a receiver index for a random tag");
  }
  return {static_cast<uint8_t>(slot_bits), static_cast<uint8_t>(owner_bits), {}};
}

}  // namespace wirelay::dataplane
