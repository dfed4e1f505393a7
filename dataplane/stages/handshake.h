// Which handshake messages the control thread gets. Serving them is its work; here is only decided
// whether it is bothered.
#pragma once

#include <cstdint>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/burst.h"
#include "dataplane/drops.h"

namespace wirelay::dataplane {

class Worker;

namespace stages {

struct HandshakeVerdict {
  Drop drop;
  PuntReason punt;  // where it is not dropped
};

/// Drop::kNone for an initiation or response that shows knowledge of our public key (mac1), and
/// for a cookie reply, which has no mac1; the latter two only while a message of ours waits for
/// such an answer. An initiation from where a peer was heard lately is expected as they
/// are, as far as these have a part of their own. `message`: on the WireGuard port, at least a
/// message's header; `ip` and `udp`: the headers in front of it, which have been checked.
HandshakeVerdict check_handshake(Worker& worker, const rte_mbuf& frame, const uint8_t* ip,
                                 const uint8_t* udp, std::span<const uint8_t> message) noexcept;

}  // namespace stages
}  // namespace wirelay::dataplane
