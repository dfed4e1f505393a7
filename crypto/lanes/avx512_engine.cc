// Engine "avx512-ifma": 16 ChaCha20 blocks and 8 Poly1305 accumulators at once.
#include <cstddef>

#include "crypto/aead_engines.h"
#include "crypto/lanes/chacha20_avx512.h"
#include "crypto/lanes/cpu.h"
#include "crypto/lanes/lane_engine.h"
#include "crypto/lanes/place_avx512.h"
#include "crypto/lanes/poly1305_ifma.h"
#include "crypto/lanes/small_bursts.h"
#include "crypto/lanes/wipe.h"

namespace wirelay::crypto {

namespace {

struct Avx512Kernels {
  static constexpr std::string_view kName = "avx512-ifma";
  static constexpr uint32_t kLanes = 16;
  static constexpr size_t kFewPackets = 4;  // measured, docs/aead.md

  /// The kernel reads packets as four words each.
  static void place_packets(AeadPacket** order, lanes::Plan& plan) noexcept {
    static_assert(sizeof(AeadPacket) == 32 && offsetof(AeadPacket, key) == 0 &&
                  offsetof(AeadPacket, counter) == 8 && offsetof(AeadPacket, text) == 16 &&
                  offsetof(AeadPacket, length) == 24 && sizeof(AeadPacket::length) == 4);
    for (uint32_t i = plan.packets; i % lanes::kPlaceAtOnce != 0; ++i) order[i] = order[0];
    lanes::place_packets_avx512(reinterpret_cast<const void* const*>(order), plan);
  }
  static void load_keys(const lanes::Plan& plan, lanes::KeyPlanes& planes,
                        lanes::KeyStream& stream) noexcept {
    lanes::chacha20_load_avx512(plan, planes, stream);
  }
  static void chacha20(const lanes::KeyPlanes& planes, const lanes::Plan& plan, uint32_t first,
                       lanes::KeyStream& stream, lanes::KeyStream& before,
                       lanes::PolyKeys& keys) noexcept {
    lanes::chacha20_avx512(planes, plan, first, stream, before, keys);
  }
  static void finish(const lanes::Plan& plan, uint32_t first, lanes::KeyStream& stream) noexcept {
    lanes::chacha20_finish_avx512(plan, first, stream);
  }
  static void make_group(const lanes::Plan& plan, uint32_t first, lanes::TagGroup& group) noexcept {
    lanes::make_tag_group(plan, first, group);
  }
  static void tags(const lanes::PolyKeys& keys, const lanes::Plan& plan,
                   const lanes::TagGroup& group, lanes::PolyTags& tags) noexcept {
    if (group.in_strands) return lanes::poly1305_ifma(keys, group.strands, tags);
    static constexpr uint64_t kNoAssociatedData[lanes::kPolySlots] = {};
    const uint32_t first = group.first;
    const auto* lengths = reinterpret_cast<const uint64_t*>(plan.bytes + first);
    lanes::poly1305_ifma(keys,
                         lanes::PolyTexts{plan.text + first,
                                          plan.bytes + first,
                                          {kNoAssociatedData, lengths},
                                          first,
                                          group.registers},
                         tags);
  }
  static void wipe(void* scratch, size_t bytes, int64_t longest) noexcept {
    lanes::wipe_avx512(scratch, bytes, longest <= lanes::kPolyShortChunks * lanes::kChunkBytes);
  }
};

}  // namespace

EngineSupport avx512_support() {
  if (!lanes::cpu_has_avx512_ifma()) {
    return {false, "this CPU or its operating system lacks AVX-512 with IFMA and VBMI2"};
  }
  return {true, "AVX-512 IFMA, 16 blocks at once; " +
                    lanes::small_burst_text(Avx512Kernels::kFewPackets)};
}

std::unique_ptr<AeadEngine> make_avx512_engine() {
  return std::make_unique<lanes::LaneEngine<Avx512Kernels>>(lanes::make_small_burst_engine());
}

}  // namespace wirelay::crypto
