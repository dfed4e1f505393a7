// Which ARP and neighbour discovery frames concern the relay. Answering them is the control
// thread's work; here is only decided whether it is bothered.
#pragma once

#include <cstdint>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/drops.h"
#include "dataplane/port.h"

namespace wirelay::dataplane::stages {

/// Broadcast, IPv6 all-nodes (RFC 4291, 2.7.1), or the solicited-node group of one of our
/// addresses.
bool group_for_us(const Port& port, const rte_ether_hdr& eth) noexcept;

/// Drop::kNone for a well-formed ARP frame (RFC 826) that asks for, or answers to, one of the
/// port's addresses, or announces the sender's own.
Drop check_arp(const Port& port, const rte_mbuf& frame) noexcept;

/// Neighbour solicitation and advertisement (RFC 4861, 4.3 and 4.4).
constexpr bool is_neighbour_message(uint8_t icmp6_type) noexcept {
  return icmp6_type == 135 || icmp6_type == 136;
}

/// Drop::kNone for a valid solicitation of one of the port's addresses, or a valid advertisement
/// (RFC 4861, 7.1): `ip` is the IPv6 header, `payload` bytes of ICMPv6 follow it.
Drop check_neighbour(const Port& port, const uint8_t* ip, uint32_t payload) noexcept;

/// A multicast listener query (RFC 2710; RFC 3810, 5.1): behind a hop-by-hop header with the router
/// alert. Who does not answer it hears no solicitations any more on networks whose switches listen.
/// `payload` bytes follow the IPv6 header `ip`.
bool is_listener_query(const uint8_t* ip, uint32_t payload) noexcept;

/// Drop::kNone for one from the link that is whole.
Drop check_listener_query(const uint8_t* ip) noexcept;

}  // namespace wirelay::dataplane::stages
