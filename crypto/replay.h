// The sliding window against replays (WireGuard paper, section 5.4.6; RFC 6479).
//
// A ring of 64-bit words, one bit a counter. The window reaches back `bits` counters from the
// greatest accepted one, less the word that is being filled.
#pragma once

#include <cstdint>
#include <span>

namespace wirelay::crypto {

/// A view of a window kept elsewhere: `words` is a power of two of 64-bit words, zero at first,
/// owned by the session's owner worker and written by it alone; `greatest` lives in the session.
class ReplayWindow {
 public:
  ReplayWindow(std::span<uint64_t> words, uint64_t& greatest) noexcept
      : words_(words), greatest_(greatest) {}

  /// True when `counter` is new, and then marks it. Call only for packets whose tag was right.
  bool accept(uint64_t counter) noexcept;

 private:
  std::span<uint64_t> words_;
  uint64_t& greatest_;  // the greatest accepted counter + 1; 0 when none was accepted
};

/// Words for a window that rejects nothing within `packets` of the greatest counter:
/// a power of two, at least packets + 64 bits... rounded as the Linux kernel does (8,192 bits hold
/// a window of 8,128). `packets`: 1,024 to 65,536.
constexpr uint32_t replay_words(uint32_t packets) noexcept {
  uint32_t words = 1;
  while (words * 64 < packets) words *= 2;
  return words;
}

}  // namespace wirelay::crypto
