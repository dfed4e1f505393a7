// Scheduler of the lane-parallel engines; see schedule.h.
#include "crypto/lanes/schedule.h"

#include <algorithm>
#include <bit>

#include <emmintrin.h>

namespace wirelay::crypto::lanes {

namespace {

uint64_t blocks_of(uint64_t bytes) noexcept { return (bytes + kBlockBytes - 1) / kBlockBytes; }

/// Ranks by counting: every key against every other, 8 comparisons an instruction and no branch on
/// the outcome, so that a random mix of lengths costs no mispredicted branches. Keys are distinct
/// and below 2^15; ranks[i] is how many are above keys[i].
void rank_descending(const uint16_t (&keys)[kPlanPackets], uint32_t count,
                     uint16_t (&ranks)[kPlanPackets]) noexcept {
  constexpr uint32_t kRegisters = kPlanPackets / 8;
  const auto* key_registers = reinterpret_cast<const __m128i*>(keys);
  __m128i key[kRegisters], rank[kRegisters];
  for (uint32_t r = 0; r < kRegisters; ++r) {
    key[r] = _mm_load_si128(key_registers + r);
    rank[r] = _mm_setzero_si128();
  }
  for (uint32_t i = 0; i < count; ++i) {
    const __m128i other = _mm_set1_epi16(static_cast<int16_t>(keys[i]));
    for (uint32_t r = 0; r < kRegisters; ++r) {
      rank[r] = _mm_sub_epi16(rank[r], _mm_cmpgt_epi16(other, key[r]));  // true is -1
    }
  }
  for (uint32_t r = 0; r < kRegisters; ++r) {
    _mm_store_si128(reinterpret_cast<__m128i*>(ranks) + r, rank[r]);
  }
}

/// For packets of one length: as they come.
void order_alike(std::span<AeadPacket> packets, Plan& plan, AeadPacket** order) noexcept {
  const uint32_t length = packets[0].length;
  const uint64_t jobs = blocks_of(length) + 1;
  const auto count = static_cast<uint32_t>(std::min<uint64_t>(packets.size(), kPlanJobs / jobs));
  for (uint32_t i = 0; i < count; ++i) order[i] = &packets[i];
  plan.packets = count;
  plan.with_text = length > 0 ? count : 0;
  plan.jobs = static_cast<uint32_t>(count * jobs);
  plan.first_whole = length % kBlockBytes == 0 ? count : 2 * count;
}

/// Those of the most blocks first, otherwise as they come.
void order_by_length(std::span<AeadPacket> packets, Plan& plan, AeadPacket** order) noexcept {
  alignas(16) uint16_t keys[kPlanPackets] = {}, ranks[kPlanPackets];
  constexpr uint64_t kMostBlocks = (1u << 15) / kPlanPackets - 1;  // 65 KB
  uint32_t count = 0, with_text = 0, lengths = 0;
  uint64_t jobs = 0;
  for (const AeadPacket& packet : packets) {
    const uint64_t blocks = blocks_of(packet.length);
    if (jobs + blocks + 1 > kPlanJobs) break;
    jobs += blocks + 1;
    lengths |= packet.length;
    with_text += packet.length > 0 ? 1 : 0;
    keys[count] = static_cast<uint16_t>(std::min(blocks, kMostBlocks) * kPlanPackets +
                                        (kPlanPackets - 1 - count));
    ++count;
  }
  rank_descending(keys, count, ranks);
  for (uint32_t i = 0; i < count; ++i) order[ranks[i]] = &packets[i];
  plan.packets = count;
  plan.with_text = with_text;
  plan.jobs = static_cast<uint32_t>(jobs);
  plan.first_whole = lengths % kBlockBytes == 0 ? count : count + with_text;
}

/// Lists the jobs of `count` whole blocks of a packet from job `at` on, and says where they lie.
/// Four at a time; what is written behind them is overwritten by who comes next.
void list_blocks(Plan& plan, uint32_t packet, uint32_t count, uint32_t at) noexcept {
  const auto text = reinterpret_cast<uintptr_t>(plan.text[packet]);
  plan.base[packet] = text - uintptr_t{at} * kBlockBytes;
  plan.block_bytes[packet] = kBlockBytes;
  const int step = 1 << kJobNumberShift;
  __m128i jobs = _mm_add_epi32(_mm_set1_epi32(static_cast<int>(packet)),
                               _mm_setr_epi32(step, 2 * step, 3 * step, 4 * step));
  for (uint32_t i = 0; i < count; i += 4) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(plan.job + at + i), jobs);
    jobs = _mm_add_epi32(jobs, _mm_set1_epi32(4 * step));
  }
}

uint32_t chunks_of(const Plan& plan, uint32_t packet) noexcept {
  return static_cast<uint32_t>((plan.bytes[packet] + kChunkBytes - 1) / kChunkBytes);
}

}  // namespace

uint32_t make_plan(std::span<AeadPacket> packets, Plan& plan, AeadPacket** order) noexcept {
  const size_t most = std::min<size_t>(packets.size(), kPlanPackets);
  const uint32_t first_length = packets[0].length;
  uint32_t differences = 0;
  for (const AeadPacket& packet : packets.first(most)) differences |= packet.length ^ first_length;
  if (differences == 0) {
    order_alike(packets.first(most), plan, order);
  } else {
    order_by_length(packets.first(most), plan, order);
  }
  return plan.packets;
}

void place_packets(AeadPacket* const* order, Plan& plan) noexcept {
  const uint32_t packets = plan.packets;
  for (uint32_t place = 0; place < packets; ++place) {
    const AeadPacket& packet = *order[place];
    const uint64_t bytes = packet.length;
    const uint64_t before = blocks_of(bytes) - 1;  // blocks before the last
    const uint32_t last = packets + place;
    plan.key[place] = packet.key;
    plan.counter[0][place] = static_cast<uint32_t>(packet.counter);
    plan.counter[1][place] = static_cast<uint32_t>(packet.counter >> 32);
    plan.text[place] = packet.text;
    plan.bytes[place] = static_cast<int64_t>(bytes);
    plan.job[place] = place;
    plan.job[last] = (kLastBlock + place) | static_cast<uint32_t>(before + 1) << kJobNumberShift;
    plan.base[kLastBlock + place] =
        reinterpret_cast<uintptr_t>(packet.text) + (before - last) * kBlockBytes;
    plan.block_bytes[kLastBlock + place] = static_cast<uint32_t>(bytes - before * kBlockBytes);
  }
  for (uint32_t i = packets; i < packets + kIdleLanes; ++i) {
    plan.text[i] = plan.text[packets - 1];
    plan.bytes[i] = plan.bytes[packets - 1];
  }
}

void list_whole_blocks(Plan& plan) noexcept {
  const uint32_t packets = plan.packets, with_text = plan.with_text;
  uint32_t at = packets + with_text;
  for (uint32_t i = 0; i < with_text; ++i) {
    const uint32_t before = (plan.job[packets + i] >> kJobNumberShift) - 1;
    if (before == 0) break;  // nor have those that follow
    list_blocks(plan, i, before, at);
    at += before;
  }
}

namespace {

/// How many strands a packet needs to be done in `steps` steps: 1, 2, 4 or 8.
uint32_t strands_for(uint32_t chunks, uint32_t steps) noexcept {
  uint32_t strands = 1;
  while (strands < kPolyLanes && chunks > strands * steps) strands *= 2;
  return strands;
}

/// Steps for the group that begins with `first`: among the ways to split its longest packet, the
/// one that does the most chunks for its time. Splitting shortens the group and makes room for
/// fewer packets.
uint32_t choose_steps(const Plan& plan, uint32_t first) noexcept {
  // What a group costs beside its steps, in steps: powers of r, sums of strands, tags.
  constexpr uint32_t kFixed = 2, kFixedStrands = 3;
  const uint32_t longest = chunks_of(plan, first);
  uint32_t best_steps = longest, best_work = 0, best_time = 1;
  for (uint32_t split = 1; split <= kPolyLanes && split <= longest; split *= 2) {
    const uint32_t steps = (longest + split - 1) / split;
    uint32_t work = 0, lanes = 0;
    for (uint32_t i = first; i < plan.packets; ++i) {
      const uint32_t chunks = chunks_of(plan, i);
      lanes += strands_for(chunks, steps);
      if (lanes > kPolyLanes) break;
      work += chunks + 1;
    }
    const uint32_t time = steps + kFixed + (split > 1 ? kFixedStrands : 0);
    if (uint64_t{work} * best_time > uint64_t{best_work} * time) {
      best_steps = steps;
      best_work = work;
      best_time = time;
    }
  }
  return std::max(best_steps, 1u);
}

/// Whether `count` packets from `first` on exist and have the same number of chunks.
bool alike(const Plan& plan, uint32_t first, uint32_t count) noexcept {
  return first + count <= plan.packets &&
         chunks_of(plan, first) == chunks_of(plan, first + count - 1);
}

/// Whether the packets from `first` on are short: neither strands nor lanes all in use are worth
/// their time then.
bool short_texts(const Plan& plan, uint32_t first) noexcept {
  return chunks_of(plan, first) <= kPolyShortChunks;
}

/// A lane for strand `strand` of `strands`. Its chunks are counted from the end of the text.
void set_lane(const Plan& plan, uint32_t packet, uint32_t strands, uint32_t strand, uint32_t lane,
              PolyStrands& lanes) noexcept {
  const int64_t bytes = plan.bytes[packet];
  const int64_t padded = (bytes + 15) & -16;
  const int64_t chunks = (padded + kChunkBytes - 1) / kChunkBytes;
  const int64_t whole = padded / kChunkBytes;  // of them, those that begin within the text
  const int64_t others = strands - 1;
  const int64_t behind = others - strand;  // chunks of the text behind this strand's last
  const int shift = std::countr_zero(strands);
  lanes.bytes[lane] = bytes;
  lanes.last[lane] = padded - (behind + 1) * kChunkBytes;
  lanes.stride[lane] = int64_t{kChunkBytes} << shift;
  lanes.closing[0][lane] = 0;  // bytes of associated data
  lanes.closing[1][lane] = static_cast<uint64_t>(bytes);
  lanes.packet[lane] = packet;
  lanes.text[lane] = plan.text[packet];
  lanes.steps = std::max(lanes.steps, (chunks - behind + others) >> shift);
  lanes.full_end = std::min(lanes.full_end, (whole - behind + others) >> shift);
  lanes.full_begin = std::max(lanes.full_begin, int64_t{behind == 0 && padded != bytes});
  for (int level = 0; level < shift; ++level) {
    const uint32_t pair = (2u << level) - 1;  // the lane below the middle of its group folds up
    const bool folds = (strand & pair) == pair >> 1;
    lanes.split[level] |= static_cast<uint8_t>(1u << lane);
    lanes.fold[level] |= static_cast<uint8_t>(folds ? 1u << lane : 0);
  }
}

void fill_strands(const Plan& plan, uint32_t steps, TagGroup& group) noexcept {
  PolyStrands& lanes = group.strands;
  lanes.steps = 0;
  lanes.full_begin = 0;
  lanes.full_end = INT64_MAX;
  for (int level = 0; level < 3; ++level) lanes.split[level] = lanes.fold[level] = 0;
  uint32_t lane = 0, packet = group.first;
  for (; packet < plan.packets; ++packet) {
    const uint32_t strands = strands_for(chunks_of(plan, packet), steps);
    if (lane + strands > kPolyLanes) break;
    for (uint32_t s = 0; s < strands; ++s) set_lane(plan, packet, strands, s, lane++, lanes);
    group.last_lane[packet - group.first] = lane - 1;
  }
  group.packets = packet - group.first;
  const uint32_t strands = strands_for(chunks_of(plan, group.first), steps);
  for (; lane < kPolyLanes; ++lane) set_lane(plan, group.first, strands, 0, lane, lanes);
}

}  // namespace

void make_plain_group(const Plan& plan, uint32_t first, uint32_t most, TagGroup& group) noexcept {
  group.first = first;
  group.in_strands = false;
  group.packets = std::min(plan.packets - first, most);
}

void make_tag_group(const Plan& plan, uint32_t first, TagGroup& group) noexcept {
  group.first = first;
  group.packets = 0;
  group.in_strands = false;
  if (first >= plan.packets) return;
  const uint32_t rest = plan.packets - first;
  if (alike(plan, first, kPolySlots) || (short_texts(plan, first) && rest > kPolyLanes)) {
    group.registers = 2;
  } else if (alike(plan, first, kPolyLanes) || short_texts(plan, first)) {
    group.registers = 1;
  } else {
    group.in_strands = true;
    fill_strands(plan, choose_steps(plan, first), group);
    return;
  }
  group.packets = std::min(group.registers * kPolyLanes, rest);
}

}  // namespace wirelay::crypto::lanes
