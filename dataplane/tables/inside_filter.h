// Which parts of the address space hold addresses inside the tunnels: peers', or our own. A packet
// from a network is mostly from none of them, and then needs no lookup of its source.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dataplane/ip.h"

namespace wirelay::dataplane {

class InsideFilter {
 public:
  InsideFilter();

  /// False: no prefix inside holds the address. Any thread.
  [[nodiscard]] bool may_hold(const IpAddr& addr) const noexcept {
    const uint32_t place = addr.is_v4() ? place4(addr) : kPlaces + place6(addr);
    return (bits_[place / 64].load(std::memory_order_relaxed) >> place % 64 & 1) != 0;
  }

  // Control thread only. A prefix is added before others can find it, and removed afterwards.
  void add(const Prefix& prefix) noexcept { count(prefix, 1); }
  void remove(const Prefix& prefix) noexcept { count(prefix, -1); }

 private:
  /// Of each family: a /16 of IPv4 each; of IPv6 a /32, several of which share one.
  static constexpr uint32_t kPlaces = 1 << 16;
  static constexpr uint8_t kBits4 = 96 + 16, kBits6 = 32;

  static uint32_t place4(const IpAddr& addr) noexcept {
    return uint32_t{addr.bytes[12]} << 8 | addr.bytes[13];
  }
  static uint32_t place6(const IpAddr& addr) noexcept {
    constexpr uint32_t kSpread = 0x9e3779b1;  // 2^32 over the golden ratio
    return static_cast<uint32_t>(addr.word(0)) * kSpread >> 16;
  }
  void count(const Prefix& prefix, int by) noexcept;
  void count_place(uint32_t place, int by) noexcept;

  std::array<std::atomic<uint64_t>, 2 * kPlaces / 64> bits_{};  // control thread writes
  std::unique_ptr<uint32_t[]> prefixes_;                        // by place; control thread
};

}  // namespace wirelay::dataplane
