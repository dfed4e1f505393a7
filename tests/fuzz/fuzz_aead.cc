// Fuzzes the engines against each other: the input chooses how texts of a burst are cut, every
// engine must seal alike, and must refuse what was changed after sealing.
#include <cstdlib>
#include <cstring>

#include "crypto/aead.h"
#include "crypto/keys.h"

using namespace wirelay::crypto;

namespace {

constexpr size_t kMostPackets = 64;
constexpr Bytes32 kKey = {1, 2, 3, 4, 5, 6, 7, 8};

std::vector<std::unique_ptr<AeadEngine>> usable_engines() {
  init_crypto();
  std::vector<std::unique_ptr<AeadEngine>> engines;
  for (const EngineInfo& info : list_engines()) {
    if (info.usable) engines.push_back(make_engine(info.name));
  }
  return engines;
}

/// A burst cut from the input: each packet takes a length byte (times 9), then its text.
struct Cut {
  explicit Cut(std::span<const uint8_t> input) {
    while (!input.empty() && texts.size() < kMostPackets) {
      const size_t length = std::min<size_t>(input[0] * size_t{9}, input.size() - 1);
      texts.emplace_back(input.begin() + 1, input.begin() + 1 + static_cast<long>(length));
      texts.back().resize(length + kTagBytes);
      input = input.subspan(1 + length);
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      packets.push_back({kKey.data(), i, texts[i].data(),
                         static_cast<uint32_t>(texts[i].size() - kTagBytes), false});
    }
  }
  Cut(const Cut&) = delete;
  Cut& operator=(const Cut&) = delete;

  std::vector<std::vector<uint8_t>> texts;
  std::vector<AeadPacket> packets;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto engines = usable_engines();
  if (size < 2) return 0;
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
