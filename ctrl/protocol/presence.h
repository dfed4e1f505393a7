// Who is connected: a peer with a session, from the first authentic message of one until there is
// none any more. Sessions live three minutes and are made anew before that, so that a peer that is
// not heard for three minutes has none.
#pragma once

#include <cstdint>

#include "ctrl/protocol/context.h"
#include "dataplane/tables/lazy_array.h"

namespace wirelay::ctrl {

class Presence {
 public:
  explicit Presence(Context& ctx)
      : ctx_(ctx), arrivals_(ctx.shared.peers.capacity(), dataplane::Memory::kSparse) {}

  /// The peer has a session that it uses; it is connected unless it was before.
  void arrive(uint32_t peer);
  /// It has none any more: it is gone, if it was there. All that its sessions carried is in its
  /// state.
  void leave(uint32_t peer, Ended how);
  /// How many there are.
  [[nodiscard]] size_t connected() const noexcept { return connected_; }

 private:
  /// Of a connected peer.
  struct Arrival {
    uint64_t ns;  // monotonic
    dataplane::Traffic before;
  };
  Context& ctx_;
  dataplane::LazyArray<Arrival> arrivals_;
  size_t connected_ = 0;
};

}  // namespace wirelay::ctrl
