// What keeps a flood of handshakes from taking the control thread down (WireGuard paper, section
// 5.3): under load a sender must prove with a cookie that it receives at its address, and each
// address gets few handshakes a second.
//
// Load is what handshakes ask for, against what can be served: they have half of the control
// thread's time, saved up to half a second. A stall of ours saves as it lasts, so that what has
// queued up meanwhile is served and is no load.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "crypto/cookie.h"
#include "ctrl/packets/datagram.h"
#include "ctrl/protocol/protocol.h"

namespace wirelay::ctrl {

/// An allowance of so many a second, so many at once.
class Allowance {
 public:
  Allowance(uint64_t per_second, uint64_t at_once) noexcept;
  /// True when one more is allowed at `now_ns`, and then takes it into account.
  bool take(uint64_t now_ns) noexcept;
  /// As a part of what is allowed at once, in 1/256: 0 when the next one isn't allowed.
  [[nodiscard]] unsigned left(uint64_t now_ns) const noexcept;

 private:
  uint64_t interval_ns_, burst_ns_;
  uint64_t arrival_ns_ = 0;  // theoretical arrival of the next, GCRA
};

/// Handshakes a second by source, IPv4 address or IPv6 /64: 20 a second, 5 at once, as in the Linux
/// kernel (ratelimiter.c). A table of fixed size at positions that only we can tell. Each source
/// has an entry of its own; who was heard longest ago is forgotten first.
class SourceLimiter {
 public:
  SourceLimiter();
  /// True when a message from `source` may be answered at `now_ns`, and then takes it into account.
  bool allow(const dataplane::IpAddr& source, uint64_t now_ns) noexcept;

 private:
  static constexpr size_t kSets = 2048;  // a power of two
  static constexpr size_t kWays = 4;     // one cache line: 128 KiB altogether
  struct Entry {
    uint64_t source;      // a keyed hash, which nobody can make two sources share
    uint64_t arrival_ns;  // theoretical arrival time, GCRA
  };
  using Set = std::array<Entry, kWays>;
  std::array<uint8_t, 16> seed_;
  std::vector<Set> sets_;
};

/// What handshakes cost this machine when many come, measured once; nanoseconds of each.
struct HandshakeCost {
  uint64_t opening_ns;    // of the control thread, until it is proven who asks and when it is told
  uint64_t answering_ns;  // the arithmetic of the answer
  /// Of the control thread, when `threads` compute answers: what the opening costs, unless these
  /// cannot keep up with it; then as if it cost as much as lets them.
  [[nodiscard]] uint64_t of_control(unsigned threads) const noexcept;
};
HandshakeCost measure_handshake();

class LoadGuard {
 public:
  /// `handshake_ns`: what a handshake costs.
  LoadGuard(const crypto::PublicKey& self, uint32_t workers, uint64_t handshake_ns);

  enum class Verdict : uint8_t { kServe, kSendCookie, kRefuse };
  /// While more than half of the allowance is left, all are served. With less, a source that takes
  /// more than its share is limited first. With nothing left, and for a second behind, whoever
  /// shows no cookie is asked for one.
  Verdict judge(const Datagram& datagram, const Now& now) noexcept;
  /// Answers were not computed in time, or messages not served, whatever the allowance says.
  void note_load(const Now& now) noexcept;
  /// A cookie may go out in answer to what came by `worker`: few for each and few altogether, since
  /// the source may be anybody's.
  bool may_reply(uint8_t worker, const Now& now) noexcept;
  crypto::MessageCookieReply reply(const Datagram& datagram, const Now& now) noexcept;

 private:
  crypto::CookieJar jar_;
  SourceLimiter claimed_, proven_;  // without and with a cookie
  Allowance handshakes_;
  Allowance replies_;
  std::vector<Allowance> replies_of_worker_;
  uint64_t loaded_until_ns_ = 0;
};

}  // namespace wirelay::ctrl
