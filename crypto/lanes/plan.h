// A plan: up to 32 packets of a burst, and the list of their ChaCha20 blocks in the order in which
// they go to lanes. Plain data: kernels include this and are compiled for processors that the rest
// of the program may not run on.
//
// For packets of 3, 2 and 1 blocks of text, the last of them partial or whole:
//
//     list     | k0 k1 k2 | L0 L1 L2 | w0.1 w0.2 w1.1 |      k: block 0, the Poly1305 key
//     job         0  1  2    3  4  5     6    7    8         L: the last block of a text
//                                                            w: a whole block before it
//
// A set is as many jobs as a kernel has lanes, from a multiple of that on. Partial blocks stand
// together, so that only few sets need masks; keys come first, so that tags can be computed before
// any text is decrypted.
#pragma once

#include <cstdint>

namespace wirelay::crypto::lanes {

inline constexpr uint32_t kPlanPackets = 32;  // packets worked on together
inline constexpr uint32_t kPlanJobs = 5120;   // blocks of all of them; 32 packets of 9,000 bytes
inline constexpr uint32_t kMaxLanes = 16;     // ChaCha20 blocks computed at once, at most
inline constexpr uint32_t kBlockBytes = 64;   // of ChaCha20
inline constexpr uint32_t kKeyWords = 8;
inline constexpr uint32_t kIdleLanes = 8;  // of a register of Poly1305, more than can be

/// An entry of the list. Its lowest byte is the packet's place in the plan, for a last block with
/// kLastBlock; above it is the number of the block within its packet: 0 the key, 1 and up the text.
using Job = uint32_t;

inline constexpr uint32_t kLastBlock = kPlanPackets;
inline constexpr uint32_t kJobNumberShift = 8;

/// The packets, those of the most chunks of 64 bytes first, so that neighbours are of like length
/// and the empty ones are last.
struct alignas(64) Plan {
  uint32_t counter[2][kPlanPackets];  // low words, high words
  const uint8_t* key[kPlanPackets];   // 32 bytes each
  // Behind the last packet it is repeated, so that any kIdleLanes packets from one of them on may
  // be read.
  uint8_t* text[kPlanPackets + kIdleLanes];
  int64_t bytes[kPlanPackets + kIdleLanes];
  uint32_t packets;
  uint32_t with_text;  // packets that are not empty
  uint32_t jobs;
  uint32_t first_whole;  // from this job on, all blocks are whole
  // Where texts lie, by the lowest byte of a job: the block of job j is at base + 64 j.
  uintptr_t base[2 * kPlanPackets];
  uint32_t block_bytes[2 * kPlanPackets];  // 1 to 64
  Job job[kPlanJobs + 2 * kMaxLanes];      // what is behind the list may be anything
};

/// Keys of the packets of a plan, one word of all packets side by side.
struct alignas(64) KeyPlanes {
  uint32_t key[kKeyWords][kPlanPackets];
  uint32_t constant[4];  // words 0 to 3 of every block; in memory, from where they broadcast freely
};

/// First 32 bytes of each packet's block 0, its Poly1305 key, in the same form: words 0 to 3 are r
/// (not yet clamped), words 4 to 7 are s.
struct alignas(64) PolyKeys {
  uint32_t word[kKeyWords][kPlanPackets];
};

/// Key stream of a set as the rounds leave it: word w of all lanes side by side.
struct alignas(64) KeyStream {
  uint32_t word[16][kMaxLanes];
};

/// Whether the block of a job is text; otherwise it is a key, or there is no such job.
static inline bool is_text(const Plan& plan, uint32_t job) noexcept {
  return job >= plan.packets && job < plan.jobs;
}

static inline uintptr_t text_of(const Plan& plan, uint32_t job) noexcept {
  return plan.base[static_cast<uint8_t>(plan.job[job])] + uintptr_t{job} * kBlockBytes;
}

static inline uint32_t bytes_of(const Plan& plan, uint32_t job) noexcept {
  return plan.block_bytes[static_cast<uint8_t>(plan.job[job])];
}

/// How many packets from the first on have no text in job `job` and those behind it.
static inline uint32_t packets_done(const Plan& plan, uint32_t job) noexcept {
  const uint32_t whole_blocks = plan.packets + plan.with_text;
  if (job >= plan.jobs) return plan.packets;
  if (plan.jobs == whole_blocks) return job > plan.packets ? job - plan.packets : 0;
  return job < whole_blocks ? 0 : plan.job[job] % kPlanPackets;
}

/// Whether all of a set's blocks are whole blocks of text.
static inline bool all_whole(const Plan& plan, uint32_t first, uint32_t lanes) noexcept {
  return first >= plan.first_whole && first + lanes <= plan.jobs;
}

}  // namespace wirelay::crypto::lanes
