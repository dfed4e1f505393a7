// What keeps a flood of handshakes from taking the control thread down (WireGuard paper, section
// 5.3): under load a sender must prove with a cookie that it receives at its address, and each
// address gets few handshakes a second.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/cookie.h"
#include "ctrl/packets/datagram.h"
#include "ctrl/protocol/protocol.h"

namespace wirelay::ctrl {

/// Handshakes a second by source, IPv4 address or IPv6 /64: 20 a second, 5 at once, as in the Linux
/// kernel (ratelimiter.c). A table of fixed size at positions that only we can tell; two sources at
/// one position share its allowance.
class SourceLimiter {
 public:
  SourceLimiter();
  /// True when a message from `source` may be answered at `now_ns`, and then takes it into account.
  bool allow(const dataplane::IpAddr& source, uint64_t now_ns) noexcept;

 private:
  std::array<uint8_t, 16> seed_;
  std::vector<uint64_t> arrivals_;  // theoretical arrival time in ns, GCRA
};

class LoadGuard {
 public:
  /// Under load from `threshold` waiting punts on, and for a second behind.
  LoadGuard(const crypto::PublicKey& self, size_t threshold);

  void set_backlog(size_t waiting) noexcept { waiting_ = waiting; }

  enum class Verdict : uint8_t { kServe, kSendCookie, kRefuse };
  Verdict judge(const Datagram& datagram, const Now& now) noexcept;
  crypto::MessageCookieReply reply(const Datagram& datagram, const Now& now) noexcept;

 private:
  bool under_load(const Now& now) noexcept;
  crypto::CookieJar jar_;
  SourceLimiter limiter_;
  const size_t threshold_;
  size_t waiting_ = 0;
  uint64_t loaded_until_ns_ = 0;
};

}  // namespace wirelay::ctrl
