// Every reason why a packet ends here, by name. A packet that goes nowhere and is counted nowhere
// is a bug: whoever adds a way to lose a packet adds a line, and tests/dataplane provokes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/net/icmp_error.h"

namespace wirelay::dataplane {

enum class Drop : uint8_t {
  // ingress
  kTooShort,
  kChained,
  kNotOurMac,
  kNotForUs,
  kUnknownEtherType,
  kBadIpHeader,
  kBadChecksum,
  kNoChecksum,
  kFragment,
  kMartian,
  kUnknownService,
  kBadUdpLength,
  kUnknownMessage,
  kBadMac1,
  kUnasked,
  kHandshakeFlood,
  kDiscoveryFlood,
  kReportFlood,
  kNotForwarded,
  kWrongRole,
  kSpoofedSource,
  // inbound
  kUnknownSession,
  kExpiredSession,
  kBadTag,
  kReplayed,
  kKeepalive,
  kBadInnerPacket,
  kSourceNotAllowed,
  // policing and forwarding
  kRateUp,
  kPacketRateUp,
  kRateDown,
  kPacketRateDown,
  kQuotaUp,
  kQuotaDown,
  kThrottleUp,
  kThrottleDown,
  kUserExpired,
  kNoRoute,
  kTtlExpired,
  kLinkLocal,
  kUnknownLocal,
  kEchoFlood,
  // outbound
  kNoEndpoint,
  kNoSession,
  kTooBig,
  kNoHeadroom,
  kNoBuffer,
  kLaneFull,
  // egress and rings
  kNeighbourUnresolved,
  kPuntFull,
  kHandoffFull,
  kTransmitFull,
  kPortDown,
  // NAT
  kNatNoMapping,
  kNatFiltered,
  kNatProtocol,
  kNatMalformed,
  kNatPorts,
  kNatNoBlock,
  kNatBlockAwaited,
  kNatFlows,
  kNatTableFull,
  kIsolated,
  kCount,
  kNone = 0xff,  // nothing is wrong: the packet goes on
};

struct DropInfo {
  std::string_view name;                // as in drops.get and metrics; stable
  std::string_view text;                // for people
  IcmpError answer = IcmpError::kNone;  // what the sender is told, when the stage refuses it
};

inline constexpr size_t kDropCount = static_cast<size_t>(Drop::kCount);

inline constexpr std::array<DropInfo, kDropCount> kDrops = {{
    {"too_short", "shorter than its headers say"},
    {"chained", "in more than one buffer: larger than a buffer, or sent so"},
    {"not_our_mac", "Ethernet destination is neither ours, broadcast nor a multicast we listen to"},
    {"not_for_us", "ARP, multicast or broadcast that does not concern the relay"},
    {"unknown_ethertype", "neither IPv4, IPv6 nor ARP"},
    {"bad_ip_header", "version, header length or total length is wrong"},
    {"bad_checksum", "damaged: IPv4's checksum, ICMP's, a handshake's, or the NIC's finding"},
    {"no_checksum", "UDP over IPv6 without a checksum"},
    {"fragment", "part of a packet for the relay whose other parts did not come, or do not fit"},
    {"martian", "an impossible source or destination address"},
    {"unknown_service", "for one of the relay's port addresses, but no service of it",
     IcmpError::kServiceUnreachable},
    {"bad_udp_length", "UDP length does not fit the packet"},
    {"unknown_message", "on the WireGuard port, but no WireGuard message of a valid size"},
    {"bad_mac1", "a handshake message whose sender does not know our public key"},
    {"unasked", "a handshake response or cookie reply to no message of ours"},
    {"handshake_flood", "more handshake messages than the control thread is given"},
    {"discovery_flood", "more ARP and neighbour discovery than the control thread is given"},
    {"report_flood", "more ICMP about packets of the relay than the control thread is given"},
    {"not_forwarded", "plain traffic that is for no peer", IcmpError::kHostUnreachable},
    {"wrong_role", "WireGuard or plain traffic by a port whose role takes the other alone"},
    {"spoofed_source", "plain traffic from an address of a peer or of the relay"},
    {"unknown_session", "no session has this receiver index"},
    {"expired_session", "the session is too old or has carried too many messages"},
    {"bad_tag", "authentication failed"},
    {"replayed", "the counter was seen before, or is behind the replay window"},
    {"keepalive", "an authentic empty packet: it has done its work"},
    {"bad_inner_packet", "decrypted, but no valid IP packet"},
    {"source_not_allowed", "the inner source address is not among the peer's allowed IPs"},
    {"rate_up", "above the user's bits a second, from the user"},
    {"packet_rate_up", "above the user's packets a second, from the user"},
    {"rate_down", "above the user's bits a second, to the user"},
    {"packet_rate_down", "above the user's packets a second, to the user"},
    {"quota_up", "nothing is left of the user's quota, from the user", IcmpError::kProhibited},
    {"quota_down", "nothing is left of the user's quota, to the user", IcmpError::kProhibited},
    {"throttle_up", "above the rate of a user without quota left, from the user"},
    {"throttle_down", "above the rate of a user without quota left, to the user"},
    {"user_expired", "from or to a user whose time is over", IcmpError::kProhibited},
    {"no_route", "no route to the destination", IcmpError::kNoRoute},
    {"ttl_expired", "TTL or hop limit ran out", IcmpError::kTtlExceeded},
    {"link_local", "for a link-local address, which is never forwarded to"},
    {"unknown_local", "for a tunnel address of the relay, but neither echo nor another service",
     IcmpError::kServiceUnreachable},
    {"echo_flood", "more pings of the relay than are answered"},
    {"no_endpoint", "the peer's address on the outside is not known yet",
     IcmpError::kHostUnreachable},
    {"no_session", "the peer has no usable session and too many packets wait for one"},
    {"too_big", "larger than the path to the peer or the port takes", IcmpError::kTooBig},
    {"no_headroom", "no room in the buffer for the headers or the tag"},
    {"no_buffer", "no packet buffer is left for its fragments"},
    {"lane_full", "its fragments are more than a burst has places for"},
    {"neighbour_unresolved", "no link-layer address for the next hop yet, or none at all",
     IcmpError::kHostUnreachable},
    {"punt_full", "the control thread does not keep up: its ring is full"},
    {"handoff_full", "the owner worker does not keep up: its ring is full"},
    {"transmit_full", "the port does not keep up: its queue is full"},
    {"port_down", "the port has no link"},
    {"nat_no_mapping", "for a public address of NAT, but no port that anybody has"},
    {"nat_filtered", "for a port of a user who has not sent to this address and port"},
    {"nat_protocol", "neither TCP, UDP, a ping nor an error about one: NAT has no port for it",
     IcmpError::kProhibited},
    {"nat_malformed", "shorter than its header says, or an error with a wrong checksum"},
    {"nat_ports", "the user's blocks of ports are in use, and it may have no more",
     IcmpError::kProhibited},
    {"nat_no_block", "no block of ports is left for the user", IcmpError::kProhibited},
    {"nat_block_awaited", "more packets than may wait for the user's block of ports"},
    {"nat_flows", "the user has as many flows through NAT as it may", IcmpError::kProhibited},
    {"nat_table_full", "the worker has no room for another flow through NAT",
     IcmpError::kProhibited},
    {"isolated", "from a user to a peer of another user", IcmpError::kProhibited},
}};

constexpr const DropInfo& drop_info(Drop drop) noexcept {
  return kDrops[static_cast<size_t>(drop)];
}

}  // namespace wirelay::dataplane
