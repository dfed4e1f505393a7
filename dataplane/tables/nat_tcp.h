// How far a TCP connection that NAT carries has come, so far as it decides how long it may be
// silent (RFC 5382, REQ-5; RFC 7857, section 2; the states are those of RFC 6146, 3.5.2).
#pragma once

#include <cstdint>

namespace wirelay::dataplane {

inline constexpr uint8_t kTcpFin = 0x01, kTcpSyn = 0x02, kTcpRst = 0x04, kTcpAck = 0x10;

/// Bits of what has been seen; owned by the flow's worker.
struct NatTcp {
  static constexpr uint8_t kAcknowledgedOut = 1;  // by the user
  static constexpr uint8_t kAcknowledgedIn = 2;   // by who is outside
  static constexpr uint8_t kFinishedOut = 4;
  static constexpr uint8_t kFinishedIn = 8;
  static constexpr uint8_t kReset = 16;

  uint8_t seen = 0;

  /// A segment with these flags of TCP's header; `out`: from the user.
  void see(uint8_t flags, bool out) noexcept {
    if (out && (flags & (kTcpSyn | kTcpAck)) == kTcpSyn) {  // a new connection of the same ports
      seen = 0;
      return;
    }
    if ((flags & kTcpRst) != 0) {
      seen |= kReset;
      return;
    }
    // Who sends on has not believed the reset: it may have been forged (RFC 7857, section 2.2).
    seen &= static_cast<uint8_t>(~kReset);
    if ((flags & kTcpAck) != 0) seen |= out ? kAcknowledgedOut : kAcknowledgedIn;
    if ((flags & kTcpFin) != 0) seen |= out ? kFinishedOut : kFinishedIn;
  }

  /// Both ends have acknowledged each other, and not both have finished.
  [[nodiscard]] bool established() const noexcept {
    constexpr uint8_t kBoth = kAcknowledgedOut | kAcknowledgedIn;
    constexpr uint8_t kOver = kFinishedOut | kFinishedIn;
    return (seen & kBoth) == kBoth && (seen & kOver) != kOver && (seen & kReset) == 0;
  }
};

}  // namespace wirelay::dataplane
