// Counting through the addresses of a prefix.
#pragma once

#include <cstdint>

#include "dataplane/ip.h"

namespace wirelay::relaygen {

/// `addr` plus `offset`.
inline dataplane::IpAddr plus(const dataplane::IpAddr& addr, uint32_t offset) noexcept {
  dataplane::IpAddr sum = addr;
  uint64_t carry = offset;
  for (size_t i = sum.bytes.size(); i-- > 0 && carry != 0; carry >>= 8) {
    carry += sum.bytes[i];
    sum.bytes[i] = static_cast<uint8_t>(carry);
  }
  return sum;
}

/// Addresses of a prefix, at most 2^31.
inline uint32_t host_count(const dataplane::Prefix& prefix) noexcept {
  const unsigned bits = 128u - prefix.length;
  return 1u << (bits < 31 ? bits : 31);
}

/// How many addresses behind `first` another one is, within 32 bits.
inline uint32_t offset_of(const dataplane::IpAddr& addr, const dataplane::IpAddr& first) noexcept {
  const auto low = [](const dataplane::IpAddr& a) {
    return uint32_t{a.bytes[12]} << 24 | uint32_t{a.bytes[13]} << 16 | uint32_t{a.bytes[14]} << 8 |
           a.bytes[15];
  };
  return low(addr) - low(first);
}

}  // namespace wirelay::relaygen
