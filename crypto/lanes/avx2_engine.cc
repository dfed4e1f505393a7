// Engine "avx2": 8 ChaCha20 blocks at once, 4 Poly1305 accumulators at once.
#include "crypto/aead_engines.h"
#include "crypto/lanes/chacha20_avx2.h"
#include "crypto/lanes/cpu.h"
#include "crypto/lanes/lane_engine.h"
#include "crypto/lanes/poly1305_avx2.h"
#include "crypto/lanes/small_bursts.h"
#include "crypto/lanes/wipe.h"

namespace wirelay::crypto {

namespace {

using lanes::kPolyMessages;

struct Avx2Kernels {
  static constexpr std::string_view kName = "avx2";
  static constexpr uint32_t kLanes = 8;
  static constexpr size_t kFewPackets = 8;  // measured, docs/aead.md

  static void place_packets(AeadPacket* const* order, lanes::Plan& plan) noexcept {
    lanes::place_packets(order, plan);
  }
  static void load_keys(const lanes::Plan&, lanes::KeyPlanes&, lanes::KeyStream&) noexcept {
  }  // each set loads its own
  static void chacha20(const lanes::KeyPlanes&, const lanes::Plan& plan, uint32_t first,
                       lanes::KeyStream& stream, lanes::KeyStream& before,
                       lanes::PolyKeys& keys) noexcept {
    if (first > 0) lanes::chacha20_finish_avx2(plan, first - kLanes, before);
    lanes::chacha20_avx2(plan, first, stream);
    if (first < plan.packets) lanes::chacha20_keys_avx2(stream, first, keys);
  }
  static void finish(const lanes::Plan& plan, uint32_t first, lanes::KeyStream& stream) noexcept {
    lanes::chacha20_finish_avx2(plan, first, stream);
  }
  static void make_group(const lanes::Plan& plan, uint32_t first, lanes::TagGroup& group) noexcept {
    lanes::make_plain_group(plan, first, kPolyMessages, group);
  }
  /// A group of fewer packets is filled up with its first one.
  static void tags(const lanes::PolyKeys& keys, const lanes::Plan& plan,
                   const lanes::TagGroup& group, lanes::PolyTags& tags) noexcept {
    lanes::PolyMessage messages[kPolyMessages];
    for (uint32_t i = 0; i < kPolyMessages; ++i) {
      const uint32_t packet = group.first + (i < group.packets ? i : 0);
      const int64_t bytes = plan.bytes[packet];
      messages[i] = {plan.text[packet], bytes, {0, static_cast<uint64_t>(bytes)}, packet};
    }
    lanes::poly1305_avx2(keys, messages, tags.tag);
  }
  static void wipe(void* scratch, size_t bytes, int64_t) noexcept {
    lanes::wipe_avx2(scratch, bytes);
  }
};

}  // namespace

EngineSupport avx2_support() {
  if (!lanes::cpu_has_avx2()) {
    return {false, "this CPU or its operating system lacks AVX2 or BMI2"};
  }
  return {true, "AVX2, 8 blocks at once; " + lanes::small_burst_text(Avx2Kernels::kFewPackets)};
}

std::unique_ptr<AeadEngine> make_avx2_engine() {
  return std::make_unique<lanes::LaneEngine<Avx2Kernels>>(lanes::make_small_burst_engine());
}

}  // namespace wirelay::crypto
