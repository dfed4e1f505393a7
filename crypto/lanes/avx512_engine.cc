// Engine "avx512-ifma": 16 ChaCha20 blocks and 8 Poly1305 accumulators at once.
#include "crypto/aead_engines.h"
#include "crypto/lanes/chacha20_avx512.h"
#include "crypto/lanes/cpu.h"
#include "crypto/lanes/lane_engine.h"
#include "crypto/lanes/poly1305_ifma.h"
#include "crypto/lanes/small_bursts.h"
#include "crypto/lanes/wipe.h"

namespace wirelay::crypto {

namespace {

struct Avx512Kernels {
  static constexpr std::string_view kName = "avx512-ifma";
  static constexpr uint32_t kLanes = 16;
  static constexpr size_t kFewPackets = 4;  // measured, docs/aead.md

  static void load_keys(const lanes::Plan& plan, lanes::KeyPlanes& planes) noexcept {
    lanes::chacha20_load_avx512(plan, planes);
  }
  static void chacha20(const lanes::KeyPlanes& planes, const lanes::BlockSet& set,
                       lanes::KeyStream& stream, const lanes::BlockSet* done_set,
                       lanes::KeyStream& done, lanes::Dealer& dealer,
                       lanes::BlockSet& ahead) noexcept {
    lanes::chacha20_avx512(planes, set, stream, done_set, done, dealer, ahead);
  }
  static void finish(const lanes::BlockSet& done_set, lanes::KeyStream& done) noexcept {
    lanes::chacha20_finish_avx512(done_set, done);
  }
  static void take_keys(const lanes::KeyStream& stream, uint32_t first,
                        lanes::PolyKeys& keys) noexcept {
    lanes::chacha20_keys_avx512(stream, first, keys);
  }
  static void make_group(const lanes::Plan& plan, uint32_t first, lanes::TagGroup& group) noexcept {
    lanes::make_tag_group(plan, first, group);
  }
  static void tags(const lanes::PolyKeys& keys, const lanes::Plan& plan,
                   const lanes::TagGroup& group, lanes::PolyTags& tags) noexcept {
    if (group.registers == 0) return lanes::poly1305_ifma(keys, group.strands, tags);
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
  static void wipe(void* scratch, size_t bytes) noexcept {
    lanes::wipe(scratch, bytes);
    lanes::wipe_avx512_registers();
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
