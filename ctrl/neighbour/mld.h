// Multicast listener discovery, version 2 (RFC 3810), as a listener: switches that watch it pass
// solicitations on to those alone that have asked for the group. Over IPv4 the relay is in no group
// but that of all systems, which is never reported (RFC 3376, 6).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <rte_mbuf.h>

#include "dataplane/ip.h"
#include "dataplane/port.h"

namespace wirelay::ctrl {

/// Milliseconds within which an answer is wanted; nullopt for anything but a query.
std::optional<uint32_t> parse_listener_query(const rte_mbuf* frame) noexcept;

/// Why a report is sent (RFC 3810, 5.2.12). Both say: all that is sent to the group.
enum class ListenerRecord : uint8_t { kIsExclude = 2, kToExclude = 4 };

/// "I listen to `groups`", from our link-local address `source`. Null when the pool is empty.
rte_mbuf* make_listener_report(rte_mempool* pool, const dataplane::Port& port,
                               const dataplane::IpAddr& source,
                               std::span<const dataplane::IpAddr> groups,
                               ListenerRecord record) noexcept;

}  // namespace wirelay::ctrl
