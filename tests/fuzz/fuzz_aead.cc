// Fuzzes the engines against each other: the input chooses lengths and keys of a burst, every
// engine must seal alike, and must refuse what was changed after sealing.
#include <cstdlib>
#include <random>

#include "crypto/aead.h"
#include "crypto/keys.h"

using namespace wirelay::crypto;

namespace {

constexpr size_t kMostPackets = 64;

std::vector<std::unique_ptr<AeadEngine>> usable_engines() {
  init_crypto();
  std::vector<std::unique_ptr<AeadEngine>> engines;
  for (const EngineInfo& info : list_engines()) {
    if (info.usable) engines.push_back(make_engine(info.name));
  }
  return engines;
}

/// A burst made from the input: three bytes a packet. Two are its length, mostly short, and one
/// seeds key, counter and text, so that a short input makes long packets under different keys.
struct Cut {
  explicit Cut(std::span<const uint8_t> input) {
    for (; input.size() >= 3 && texts.size() < kMostPackets; input = input.subspan(3)) {
      const uint32_t length =
          (input[0] | uint32_t{input[1]} << 8) % (input[1] < 0xf0 ? 1500 : 9001);
      std::minstd_rand random(input[2] + 1u);
      const auto fill = [&random](auto& bytes) {
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> 8);
      };
      fill(keys[texts.size()]);
      counters.push_back(uint64_t{random()} << input[2] % 64);
      texts.emplace_back(length + kTagBytes);
      fill(texts.back());
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      packets.push_back({keys[i].data(), counters[i], texts[i].data(),
                         static_cast<uint32_t>(texts[i].size() - kTagBytes), false});
    }
  }
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  std::array<Bytes32, kMostPackets> keys;
  std::vector<uint64_t> counters;
  std::vector<std::vector<uint8_t>> texts;
  std::vector<AeadPacket> packets;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto engines = usable_engines();
  if (size < 4) return 0;
  const std::span<const uint8_t> input(data + 1, size - 1);
  Cut expected(input);
  engines.back()->seal_burst(expected.packets);
  for (const auto& engine : engines) {
    Cut cut(input);
    engine->seal_burst(cut.packets);
    if (cut.texts != expected.texts) std::abort();
    const size_t forged = data[0] % cut.packets.size();
    cut.texts[forged][size % cut.texts[forged].size()] ^= 1;
    engine->open_burst(cut.packets);
    for (size_t i = 0; i < cut.packets.size(); ++i) {
      if (cut.packets[i].authentic == (i == forged)) std::abort();
    }
  }
  return 0;
}
