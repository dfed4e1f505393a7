// What relaygen puts into each packet's payload, and recognises when it comes back out.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "tools/relaygen/random.h"

namespace wirelay::relaygen {

/// Opens the UDP payload: 16 bytes, so that it fits into the smallest inner packet (64 bytes with
/// an IPv6 header).
struct Probe {
  uint32_t flow;      // the client that the packet is of, below 2^24
  uint32_t sequence;  // within the flow, from 0
  uint32_t index;     // within the round, below 2^24
  uint8_t round;      // the low bits of its number
  uint32_t stamp;     // when the packet was due: cycles from the round's start / kStampCycles
};

inline constexpr uint32_t kProbeBytes = 16;
inline constexpr uint32_t kProbeLimit = 1u << 24;  // of flow and index
inline constexpr uint64_t kStampCycles = 16;       // a stamp reaches over 20 s, in steps of 6 ns
inline constexpr uint8_t kProbeMagic = 0xa7;

inline void write_probe(uint8_t* at, const Probe& probe) noexcept {
  const uint64_t first = uint64_t{kProbeMagic} << 56 | uint64_t{probe.round} << 48 |
                         uint64_t{probe.index} << 24 | probe.flow;
  const uint64_t second = uint64_t{probe.sequence} << 32 | probe.stamp;
  std::memcpy(at, &first, sizeof first);
  std::memcpy(at + 8, &second, sizeof second);
}

/// nullopt when it is not ours.
inline std::optional<Probe> read_probe(const uint8_t* at) noexcept {
  uint64_t first, second;
  std::memcpy(&first, at, sizeof first);
  std::memcpy(&second, at + 8, sizeof second);
  if (first >> 56 != kProbeMagic) return std::nullopt;
  return Probe{.flow = static_cast<uint32_t>(first & (kProbeLimit - 1)),
               .sequence = static_cast<uint32_t>(second >> 32),
               .index = static_cast<uint32_t>(first >> 24 & (kProbeLimit - 1)),
               .round = static_cast<uint8_t>(first >> 48),
               .stamp = static_cast<uint32_t>(second)};
}

/// The bytes behind the probe: random, and shifted with the sequence number, so that bytes of
/// another packet, or the right ones in a wrong place, do not pass.
inline const uint8_t* pattern_of(uint32_t sequence) noexcept {
  static constexpr size_t kShifts = 64, kBytes = 9088;
  static const auto kPattern = [] {
    std::array<uint8_t, kShifts + kBytes> bytes{};
    Random random(1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
    return bytes;
  }();
  return kPattern.data() + sequence % kShifts;
}

}  // namespace wirelay::relaygen
