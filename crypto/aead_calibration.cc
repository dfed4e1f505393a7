// See aead_calibration.h.
#include "crypto/aead_calibration.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "crypto/keys.h"

namespace wirelay::crypto {

namespace {

constexpr size_t kPackets = 32;
constexpr int kRuns = 12;
constexpr int kBurstsPerRun = 2;

/// The texts lie one behind the other, as mbufs do, and are sealed over and over.
struct Burst {
  explicit Burst(uint32_t text_bytes) : memory(kPackets * (text_bytes + kTagBytes + 64)) {
    for (size_t i = 0; i < kPackets; ++i) {
      keys[i].fill(static_cast<uint8_t>(i));
      packets[i] = {keys[i].data(), i, memory.data() + i * (text_bytes + kTagBytes + 64),
                    text_bytes, false};
    }
  }
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;

  std::vector<uint8_t> memory;
  std::array<Bytes32, kPackets> keys;
  std::array<AeadPacket, kPackets> packets;
};

double measure_run(AeadEngine& engine, Burst& burst) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  for (int i = 0; i < kBurstsPerRun; ++i) engine.seal_burst(burst.packets);
  const std::chrono::duration<double, std::nano> passed = Clock::now() - begin;
  return passed.count() / (kBurstsPerRun * kPackets);
}

}  // namespace

EngineCost measure_cost(AeadEngine& engine) {
  EngineCost cost;
  for (size_t size = 0; size < cost.size(); ++size) {
    Burst burst(kCalibrationBytes[size]);
    cost[size] = std::numeric_limits<double>::max();
    for (int run = 0; run < kRuns; ++run) {
      cost[size] = std::min(cost[size], measure_run(engine, burst));
    }
  }
  return cost;
}

double relative_cost(const EngineCost& cost, const EngineCost& best) noexcept {
  double sum = 0;
  for (size_t size = 0; size < cost.size(); ++size) sum += cost[size] / best[size];
  return sum / static_cast<double>(cost.size());
}

std::string to_text(const EngineCost& cost) {
  std::string sizes, times;
  for (size_t size = 0; size < cost.size(); ++size) {
    const char* separator = size == 0 ? "" : "/";
    sizes += separator + std::to_string(kCalibrationBytes[size]);
    times += separator + std::to_string(std::lround(cost[size]));
  }
  return sizes + " bytes in " + times + " ns";
}

}  // namespace wirelay::crypto
