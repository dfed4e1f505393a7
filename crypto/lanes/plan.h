// A plan: up to 32 packets of a burst, and how their ChaCha20 blocks are dealt to lanes. Plain data
// and functions of internal linkage only: kernels include this and are compiled for processors that
// the rest of the program may not run on.
#pragma once

#include <cstdint>

namespace wirelay::crypto::lanes {

inline constexpr uint32_t kPlanPackets = 32;  // packets worked on together
inline constexpr uint32_t kMaxLanes = 16;     // ChaCha20 blocks computed at once, at most
inline constexpr uint32_t kBlockBytes = 64;   // of ChaCha20
inline constexpr uint32_t kKeyWords = 8;

/// The packets of a plan, those of the most chunks of 64 bytes first, so that neighbours are of
/// like length and the empty ones are last. Each array ends with one entry of an empty packet, for
/// who reads one ahead.
struct Plan {
  const uint8_t* key[kPlanPackets + 1];  // 32 bytes each
  uint64_t counter[kPlanPackets + 1];
  uint8_t* text[kPlanPackets + 1];
  int64_t bytes[kPlanPackets + 1];
  uint32_t packets = 0;
  uint32_t with_text = 0;  // packets that are not empty
};

/// Keys of the packets of a plan, one word of all packets side by side.
struct alignas(64) KeyPlanes {
  uint32_t key[kKeyWords][kPlanPackets];
};

/// First 32 bytes of each packet's block 0, its Poly1305 key, in the same form: words 0 to 3 are r
/// (not yet clamped), words 4 to 7 are s.
struct alignas(64) PolyKeys {
  uint32_t word[kKeyWords][kPlanPackets];
};

/// A set of ChaCha20 blocks, one for each lane. Lanes below `key_lanes` make Poly1305 keys (block
/// 0), those behind them text, until there is none: the rest is idle. Every lane names a packet, or
/// the entry behind the last one.
struct alignas(64) BlockSet {
  uint32_t packet[kMaxLanes];      // an index into the plan
  uint32_t counter[2][kMaxLanes];  // the packet's, low word and high word
  uint32_t block[kMaxLanes];  // the block's number within its packet: 0 the key, 1 and up the text
  uint8_t* text[kMaxLanes];   // what its key stream is for
  uint32_t bytes[kMaxLanes];  // how much of it: 1 to 64, 0 in lanes without text
  uint32_t key_lanes;
  uint32_t first_key;  // the packet of lane 0, when key_lanes > 0
  bool has_text;
  uint32_t packets_begun;  // packets of the plan below this one have text in this set or before it
  uint32_t packets_done;   // packets of the plan below this one have no text in later sets
};

/// Key stream of a set as the rounds leave it: word w of all lanes side by side.
struct alignas(64) KeyStream {
  uint32_t word[16][kMaxLanes];
};

/// Deals the blocks of a plan into sets: first block 0 of all packets, then the text, packet by
/// packet. A set is dealt by deal_begin(), deal_lanes() over all its lanes in order, deal_end().
struct Dealer {
  const Plan* plan;
  uint32_t keys = 0;    // key blocks dealt
  uint32_t packet = 0;  // whose text is next
  uint32_t block = 1;   // and which of its blocks
};

static inline void deal_lane(const Plan& plan, uint32_t packet, uint32_t block, BlockSet& set,
                             uint32_t lane) noexcept {
  set.packet[lane] = packet;
  set.counter[0][lane] = static_cast<uint32_t>(plan.counter[packet]);
  set.counter[1][lane] = static_cast<uint32_t>(plan.counter[packet] >> 32);
  set.block[lane] = block;
}

/// Deals the key lanes of a set of `lanes`.
static inline void deal_begin(Dealer& dealer, BlockSet& set, uint32_t lanes) noexcept {
  const uint32_t left = dealer.plan->packets - dealer.keys;
  set.first_key = dealer.keys;
  set.key_lanes = left < lanes ? left : lanes;
  for (uint32_t lane = 0; lane < set.key_lanes; ++lane) {
    deal_lane(*dealer.plan, dealer.keys + lane, 0, set, lane);
    set.bytes[lane] = 0;
  }
  dealer.keys += set.key_lanes;
  set.has_text = set.key_lanes < lanes && dealer.packet < dealer.plan->with_text;
}

/// Deals text to those of lanes `from` to `to` that are not key lanes, without a branch on where a
/// packet ends: it would be guessed wrong once a packet.
static inline void deal_lanes(Dealer& dealer, BlockSet& set, uint32_t from, uint32_t to) noexcept {
  const Plan& plan = *dealer.plan;
  uint32_t packet = dealer.packet, block = dealer.block;
  const int64_t done = (block - 1) * int64_t{kBlockBytes};
  uint8_t* text = plan.text[packet] + done;
  int64_t rest = plan.bytes[packet] - done;
  for (uint32_t lane = from < set.key_lanes ? set.key_lanes : from; lane < to; ++lane) {
    const bool last = rest <= kBlockBytes;
    deal_lane(plan, packet, block, set, lane);
    set.text[lane] = text;
    set.bytes[lane] = static_cast<uint32_t>(last ? rest : kBlockBytes);
    packet += last && packet < plan.with_text ? 1 : 0;
    block = last ? 1 : block + 1;
    text = last ? plan.text[packet] : text + kBlockBytes;
    rest = last ? plan.bytes[packet] : rest - kBlockBytes;
  }
  dealer.packet = packet;
  dealer.block = block;
}

static inline void deal_end(const Dealer& dealer, BlockSet& set) noexcept {
  set.packets_done = dealer.packet;
  set.packets_begun = dealer.packet + (dealer.block > 1 ? 1 : 0);
}

}  // namespace wirelay::crypto::lanes
