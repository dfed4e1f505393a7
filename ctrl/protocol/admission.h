// Which of a user's peers may be connected: no more at once than the user may have. A peer is
// connected while it has a session, or is about to, and was heard in the last three minutes.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "ctrl/protocol/context.h"
#include "ctrl/protocol/sessions.h"

namespace wirelay::ctrl {

class Admission {
 public:
  /// `end` ends all of a peer's sessions and handshakes.
  Admission(Context& ctx, Sessions& sessions, std::function<void(uint32_t peer)> end)
      : ctx_(ctx), sessions_(sessions), end_(std::move(end)) {}

  /// The peer shakes hands, authentically. False when it is one too many, and is refused; else it
  /// may have taken the place of another. Costs a look at each of the user's peers.
  bool admit(uint32_t peer);
  /// Whether we may shake hands with the peer: never in the place of another, nor once closed.
  [[nodiscard]] bool has_room(uint32_t peer);

  /// From now on there are no new sessions.
  void close() noexcept { closed_ = true; }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  struct Others {
    uint64_t count = 0;  // connected, without the peer itself
    uint32_t oldest = 0;
    uint64_t since = UINT64_MAX;  // when that one came
  };
  [[nodiscard]] bool connected(uint32_t peer);
  [[nodiscard]] Others others_of(uint32_t peer);
  [[nodiscard]] const SessionRules& rules_of(uint32_t peer);

  Context& ctx_;
  Sessions& sessions_;
  const std::function<void(uint32_t peer)> end_;
  bool closed_ = false;
};

}  // namespace wirelay::ctrl
