// Receiver indices: what stands in them, and how that is hidden on the wire.
//
//   within:   | random tag | owner worker | slot |      (widths fixed at start)
//
// Slots are given out in order, so that a bare index would tell how many peers there are. What
// others see is its image under a permutation of all 32-bit words, drawn at start: a few cycles, no
// cipher; the tag is random besides.
#pragma once

#include <cstdint>

namespace wirelay::dataplane {

/// A bijection of 32-bit words, the identity unless drawn.
class IndexPermutation {
 public:
  /// One that nobody else knows.
  static IndexPermutation draw();

  [[nodiscard]] uint32_t hide(uint32_t parts) const noexcept {
    return (fold(fold(parts) * hide_first_) * hide_second_) ^ mask_;
  }
  /// hide() undone.
  [[nodiscard]] uint32_t show(uint32_t index) const noexcept {
    return fold(fold((index ^ mask_) * show_first_) * show_second_);
  }

 private:
  /// Its own inverse.
  static uint32_t fold(uint32_t word) noexcept { return word ^ word >> 16; }
  // Odd, and inverse to each other modulo 2^32: hide_first_ to show_second_, and so on.
  uint32_t hide_first_ = 1, hide_second_ = 1, show_first_ = 1, show_second_ = 1;
  uint32_t mask_ = 0;
};

/// Widths of the parts of a receiver index, fixed at start.
struct IndexLayout {
  uint8_t slot_bits;
  uint8_t owner_bits;
  IndexPermutation permutation;

  /// The narrowest layout that holds `slots` and `workers`, not hidden. At least 6 bits are left
  /// for the tag; throws std::invalid_argument when they are not.
  static IndexLayout make(uint32_t slots, uint32_t workers);
  [[nodiscard]] uint32_t slot(uint32_t index) const noexcept {
    return permutation.show(index) & ((1u << slot_bits) - 1);
  }
  [[nodiscard]] uint32_t owner(uint32_t index) const noexcept {
    return (permutation.show(index) >> slot_bits) & ((1u << owner_bits) - 1);
  }
  [[nodiscard]] uint32_t tag(uint32_t index) const noexcept {
    return permutation.show(index) >> (slot_bits + owner_bits);
  }
  [[nodiscard]] uint32_t index(uint32_t slot, uint32_t owner, uint32_t tag) const noexcept {
    return permutation.hide(slot | owner << slot_bits | tag << (slot_bits + owner_bits));
  }
};

}  // namespace wirelay::dataplane
