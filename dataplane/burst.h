// A burst: up to 64 packets of one lane, and beside each mbuf what the stages have found out.
//
// From its classification on a packet's facts stand in its PacketMeta and are not looked up again.
// Stages do not free or move packets: they say where each goes with divert() and drop(), and the
// runner (pipeline.cc) sorts them once behind each stage.
#pragma once

#include <cstddef>
#include <cstdint>

#include <rte_mbuf.h>

#include "dataplane/drops.h"

namespace wirelay::dataplane {

struct Session;
struct Peer;
struct PeerPath;

inline constexpr uint16_t kBurstSize = 64;

/// The lanes of the pipeline, in the order in which they run (pipeline.h). What goes to an earlier
/// one, kNatIn at the latest, is served in another round.
enum class Lane : uint8_t {
  kError,       // to be answered with an ICMP error
  kFragment,    // to be cut
  kReassembly,  // to be put together
  kIngress,
  kInbound,
  kPlain,
  kNatIn,
  kForward,
  kLocal,
  kNatOut,
  kOutbound,
  kTransmit,
  kCount
};

/// Where a packet goes behind a stage.
enum class Next : uint8_t {
  kError,  // lanes, in the order of Lane; the lane that it is in: it stays
  kFragment,
  kReassembly,
  kIngress,
  kInbound,
  kPlain,
  kNatIn,
  kForward,
  kLocal,
  kNatOut,
  kOutbound,
  kTransmit,
  kPunt,     // to the control thread, for the reason in meta.punt
  kHandoff,  // to the worker in meta.owner, which owns the session, or the user's NAT mappings
  kDropped,  // freed and counted under meta.drop
  kSent,     // handed to the driver: no longer ours. As `onward`: back to who sent it by the port
};

/// Why the control thread gets a packet. Frames start at their Ethernet header, packets at their
/// IP header.
enum class PuntReason : uint8_t {
  kHandshake,   // frame: an initiation with a right mac1
  kExpected,    // frame: an initiation from a known source with a right mac1, or an answer that a
                // message of ours waits for
  kArp,         // frame
  kNeighbour,   // frame: ICMPv6 neighbour discovery
  kPathReport,  // frame: ICMP that says that a packet of ours did not fit a link
  kNoSession,   // packet: for `peer`, which has no usable session
  kUnresolved,  // packet: for `adjacency`, which has no link-layer address, or for a host on a
                // connected network that has no adjacency yet (kNoAdjacency)
  kNoBlock,     // packet: its user has no port free to go out with (tables/nat.h)
};

inline constexpr size_t kPuntReasons = static_cast<size_t>(PuntReason::kNoBlock) + 1;

inline constexpr uint16_t kNoAdjacency = 0xffff;
inline constexpr uint32_t kNobody = 0xffffffff;

struct PacketMeta {
  Next next;
  Drop drop;             // when next is kDropped
  PuntReason punt;       // when next is kPunt
  uint8_t owner;         // worker number of the session's owner, or of the user's mappings
  Next onward;           // where it goes once its lane has done with it, where another may say
  uint8_t l4_offset;     // inbound: from the frame's start to the outer UDP header
  uint16_t adjacency;    // next hop, when going to kTransmit
  uint16_t port;         // DPDK port to send on, when going to kTransmit
  uint16_t ip_bytes;     // length of the inner IP packet
  uint32_t peer;         // peer number: the sender's inbound, the receiver's outbound; plain behind
                         // nat_in: the user that it is for, one added
  Session* session;      // opened with, inbound; from stage seal on: sealed with
  Peer* peer_entry;      // record of `peer`
  const PeerPath* path;  // outbound
  uint64_t counter;      // of the transport message; plain: where it was for (stages/nat_origin.h)
  uint8_t* text;         // of the transport message, behind its 16-byte header
  uint16_t text_bytes;   // without the tag
  uint16_t mtu;          // largest IP packet that the way takes; of one that is too big, else 0
  uint32_t sender = kNobody;  // peer number of who sent it through a tunnel; kNobody: plain
};
static_assert(sizeof(PacketMeta) == 64, "one cache line a packet");

struct alignas(64) Burst {
  uint16_t count = 0;
  bool diverted = false;  // some packet's next is another than this lane
  rte_mbuf* mbufs[kBurstSize];
  PacketMeta meta[kBurstSize];

  [[nodiscard]] bool plain(uint16_t i) const noexcept { return meta[i].sender == kNobody; }

  void divert(uint16_t i, Next next) noexcept {
    meta[i].next = next;
    diverted = true;
  }
  /// The packet, of `bytes` bytes from its IP header on, goes on as a plain one of which nothing is
  /// known yet.
  void begin_anew(uint16_t i, uint16_t bytes, Next next) noexcept {
    meta[i] = PacketMeta{};
    meta[i].ip_bytes = bytes;
    divert(i, next);
  }
  void drop(uint16_t i, Drop reason) noexcept {
    meta[i].drop = reason;
    divert(i, Next::kDropped);
  }
  /// The packet, with its data at the IP header, ends here, and its sender is told why where that
  /// is due (drop_info(), stage error). `mtu`: of kTooBig.
  void refuse(uint16_t i, Drop reason, uint16_t mtu = 0) noexcept {
    meta[i].drop = reason;
    meta[i].mtu = mtu;
    divert(i, Next::kError);
  }
  void punt(uint16_t i, PuntReason reason) noexcept {
    meta[i].punt = reason;
    divert(i, Next::kPunt);
  }
};

}  // namespace wirelay::dataplane
