// The sliding window against replays (WireGuard paper, section 5.4.6; RFC 6479).
//
// A ring of 64-bit words, one bit a counter, as in the Linux kernel: one word is always being
// filled, so that a ring of 8,192 bits accepts counters down to 8,128 below the greatest one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "crypto/wire.h"

namespace wirelay::crypto {

/// The window's end that packets in order go to. It stands with the session's other state, so that
/// they do not touch the ring: at 100,000 sessions that would be one more line from far memory.
struct ReplayFront {
  uint64_t greatest;  // the greatest accepted counter + 1; 0 when none was accepted
  uint64_t word;      // the ring's word that holds `greatest`; its place in the ring is out of date
};

/// A view of a window kept elsewhere: `words` holds a power of two of them (replay_words()). Both
/// are zero at first, owned by the session's owner worker and written by it alone.
class ReplayWindow {
 public:
  ReplayWindow(std::span<uint64_t> words, ReplayFront& front) noexcept
      : words_(words), front_(front) {}

  /// True when `counter` is new, and then marks it. Call only for packets whose tag was right.
  /// Counters from kRejectAfterMessages on are never accepted.
  bool accept(uint64_t counter) noexcept {
    if (counter >= kRejectAfterMessages) return false;
    const uint64_t position = counter + 1;
    const uint64_t reach = (words_.size() - 1) * kBitsPerWord;
    if (position > front_.greatest) {
      advance(position);
    } else if (front_.greatest - position > reach) {
      return false;
    }
    const bool at_front = position / kBitsPerWord == front_.greatest / kBitsPerWord;
    uint64_t& word = at_front ? front_.word : place(position / kBitsPerWord);
    const uint64_t bit = uint64_t{1} << position % kBitsPerWord;
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }

 private:
  static constexpr uint64_t kBitsPerWord = 64;

  uint64_t& place(uint64_t number) noexcept { return words_[number & (words_.size() - 1)]; }

  /// Moves the window up to `position`, clearing the words that it enters.
  void advance(uint64_t position) noexcept {
    const uint64_t current = front_.greatest / kBitsPerWord;
    const uint64_t entered = std::min<uint64_t>(position / kBitsPerWord - current, words_.size());
    if (entered != 0) {
      place(current) = front_.word;
      for (uint64_t i = 1; i <= entered; ++i) place(current + i) = 0;
      front_.word = 0;
    }
    front_.greatest = position;
  }

  std::span<uint64_t> words_;
  ReplayFront& front_;
};

/// Words of a ring of at least `packets` bits, a power of two: 8,192 packets take 128 words, as in
/// the Linux kernel. `packets`: 1,024 to 65,536.
constexpr uint32_t replay_words(uint32_t packets) noexcept {
  uint32_t words = 1;
  while (words * 64 < packets) words *= 2;
  return words;
}

}  // namespace wirelay::crypto
