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

/// Fills `plan` with `packets`, 1 to kPlanPackets of them, and `order` with the packet at each
/// place of the plan. Lengths count by chunks; the order of packets of as many is kept.
void make_plan(std::span<AeadPacket> packets, Plan& plan, AeadPacket** order) noexcept;

/// Packets [first, first + packets) of a plan share a Poly1305 group.
struct TagGroup {
  uint32_t first;
  uint32_t packets;                // 0 behind the last group
  uint32_t registers;              // of lanes without strands, or 0: `strands` says it all
  uint32_t last_lane[kPolySlots];  // of each packet: where its tag comes out
  PolyStrands strands;
};

/// The next packets, `most` (up to kPolySlots) if there are so many, without lanes of any form.
void make_plain_group(const Plan& plan, uint32_t first, uint32_t most, TagGroup& group) noexcept;

/// Makes the group that begins with packet `first` of the plan; it is empty when there is none.
void make_tag_group(const Plan& plan, uint32_t first, TagGroup& group) noexcept;

}  // namespace wirelay::crypto::lanes
