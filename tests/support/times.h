// Spans of time that tests let pass, in nanoseconds.
#pragma once

#include <cstdint>

namespace wirelay::test {

inline constexpr uint64_t kSecond = 1'000'000'000;
inline constexpr uint64_t kMillisecond = 1'000'000;
inline constexpr uint64_t kMicrosecond = 1'000;

}  // namespace wirelay::test
