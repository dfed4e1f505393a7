// Short names for what tables order their words by.
#pragma once

#include <atomic>

namespace wirelay::dataplane {

inline constexpr auto kRelaxed = std::memory_order_relaxed;
inline constexpr auto kAcquire = std::memory_order_acquire;
inline constexpr auto kRelease = std::memory_order_release;

}  // namespace wirelay::dataplane
