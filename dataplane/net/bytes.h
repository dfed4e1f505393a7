// Values in a packet, at whatever address they stand.
#pragma once

#include <cstdint>
#include <cstring>

#include <rte_byteorder.h>

namespace wirelay::dataplane {

template <typename T>
inline T load_as(const void* p) noexcept {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <typename T>
inline void store_as(void* p, T v) noexcept {
  std::memcpy(p, &v, sizeof v);
}
inline uint16_t load_be16(const void* p) noexcept { return rte_be_to_cpu_16(load_as<uint16_t>(p)); }
inline void store_be16(void* p, uint16_t v) noexcept { store_as(p, rte_cpu_to_be_16(v)); }

}  // namespace wirelay::dataplane
