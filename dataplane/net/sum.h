// The ones' complement sum of whole packets (RFC 1071), as wide as the processor adds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wirelay::dataplane {

/// Of `bytes` bytes in network order, the last one filled up with zero; not folded, see fold_sum().
/// Less than 2^48, so that more may be added to it.
uint64_t sum_of(const uint8_t* at, size_t bytes) noexcept;

}  // namespace wirelay::dataplane
