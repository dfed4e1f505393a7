// The scheduler of a lane-parallel engine: puts packets in order and groups them for Poly1305, so
// that lanes are full whatever the lengths. Plain C++ for any processor; it looks at lengths, never
// at keys or text.
#pragma once

#include <cstdint>
#include <span>

#include "crypto/aead.h"
#include "crypto/lanes/plan.h"
#include "crypto/lanes/poly1305_ifma.h"

namespace wirelay::crypto::lanes {

/// Takes as many of `packets` into `plan` as there is room for, and sets `order` to the packet at
/// each place of the plan: those of the most blocks first, otherwise as they come. Returns how
/// many; 0 if even the first has too many blocks. Then follow place_packets() and
/// list_whole_blocks().
uint32_t make_plan(std::span<AeadPacket> packets, Plan& plan, AeadPacket** order) noexcept;

/// Copies what is known of each packet to its place in the plan, and lists the jobs of its key and
/// its last block. What that says of an empty packet's last block lies behind the list, or is
/// overwritten by list_whole_blocks().
void place_packets(AeadPacket* const* order, Plan& plan) noexcept;

/// Lists the jobs of all blocks before the last ones.
void list_whole_blocks(Plan& plan) noexcept;

/// Packets [first, first + packets) of a plan share a Poly1305 group.
struct TagGroup {
  uint32_t first;
  uint32_t packets;                // 0 behind the last group
  uint32_t registers;              // of lanes, without strands
  bool in_strands;                 // one register, of which `strands` says all
  uint32_t last_lane[kPolyLanes];  // with strands, of each packet: where its tag comes out
  PolyStrands strands;
};

/// The lane where the tag of the group's packet `i` comes out.
inline uint32_t lane_of(const TagGroup& group, uint32_t i) noexcept {
  return group.in_strands ? group.last_lane[i] : i;
}

/// The next packets, `most` (up to kPolySlots) if there are so many, without lanes of any form.
void make_plain_group(const Plan& plan, uint32_t first, uint32_t most, TagGroup& group) noexcept;

/// Makes the group that begins with packet `first` of the plan; it is empty when there is none.
void make_tag_group(const Plan& plan, uint32_t first, TagGroup& group) noexcept;

}  // namespace wirelay::crypto::lanes
