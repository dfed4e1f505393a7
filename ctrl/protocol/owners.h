// Which worker owns a session: opens all of its packets, in their order.
#pragma once

#include <cstdint>

#include "ctrl/protocol/context.h"

namespace wirelay::ctrl {

/// `port`: where the peer's packets come in. `heard_by`: the worker that a handshake message of the
/// peer came to, or kNobody. Where every worker has a receive queue of the port, that worker's is
/// where the NIC brings the peer's data, too, which has the same addresses and ports. Elsewhere one
/// worker receives what is for all, hands on what is others', and the sessions are spread.
inline uint32_t choose_owner(const Context& ctx, uint16_t port, uint8_t heard_by) noexcept {
  const bool queue_each = ctx.shared.ports[port].rx_queues >= ctx.shared.workers;
  return queue_each && heard_by != kNobody ? heard_by : ctx.session_writer.least_loaded();
}

}  // namespace wirelay::ctrl
