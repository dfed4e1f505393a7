// The addresses of one pool: which of them somebody has, and the next that is free. A bit each, so
// that a pool is found through in microseconds however full it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dataplane/ip.h"

namespace wirelay::ctrl {

/// As the configuration has it.
struct PoolConfig {
  dataplane::Prefix prefix;
  std::vector<dataplane::IpAddr> reserved = {};  // of it, for nobody

  bool operator==(const PoolConfig&) const = default;
};

class AddressPool {
 public:
  /// So many addresses of a larger one are used, its first.
  static constexpr uint32_t kMost = 1u << 22;

  explicit AddressPool(const dataplane::Prefix& prefix);

  [[nodiscard]] const dataplane::Prefix& prefix() const noexcept { return prefix_; }
  /// What lies within `prefix` is given to nobody, ever.
  void reserve(const dataplane::Prefix& prefix);

  /// A peer has the prefix from now on, or has it no longer. A network within the pool is the
  /// peer's with all that is in it.
  void take(const dataplane::Prefix& prefix);
  void give_back(const dataplane::Prefix& prefix);
  /// Only given when no other is free.
  void hold(const dataplane::IpAddr& address) { set(held_, address, true); }
  void let_go(const dataplane::IpAddr& address) { set(held_, address, false); }

  /// One of the pool that nobody has.
  [[nodiscard]] bool is_free(const dataplane::IpAddr& address) const;
  /// The next free one behind the last that was taken; nullopt when there is none.
  [[nodiscard]] std::optional<dataplane::IpAddr> next() const;

  /// Addresses that can be given, and how many of them are.
  [[nodiscard]] uint32_t size() const noexcept { return size_; }
  [[nodiscard]] uint32_t used() const noexcept { return used_count_; }

 private:
  using Bits = std::vector<uint64_t>;
  [[nodiscard]] std::optional<uint32_t> offset(const dataplane::IpAddr& address) const;
  [[nodiscard]] dataplane::IpAddr address(uint32_t offset) const;
  /// The first offset behind the peers' networks that hold the one at `offset`; itself where none
  /// does.
  [[nodiscard]] uint32_t behind_networks(uint32_t offset) const;
  [[nodiscard]] std::optional<uint32_t> find(uint32_t from, uint32_t to, bool held_too) const;
  [[nodiscard]] std::optional<uint32_t> find_bit(uint32_t from, uint32_t to, bool held_too) const;
  void set(Bits& bits, const dataplane::IpAddr& address, bool to) const;
  void count_network(const dataplane::Prefix& prefix, int by);

  struct Hash {
    size_t operator()(const dataplane::IpAddr& addr) const noexcept {
      return addr.word(0) * 0x9e3779b97f4a7c15 ^ addr.word(1);
    }
  };
  dataplane::Prefix prefix_;
  uint32_t capacity_;  // offsets below it
  uint32_t size_;      // of these, not reserved
  uint32_t used_count_ = 0;
  uint32_t cursor_ = 0;
  Bits used_, reserved_, held_;
  // Peers' networks within the pool: how many of each, by length and first address.
  std::map<uint8_t, std::unordered_map<dataplane::IpAddr, uint32_t, Hash>> networks_;
};

}  // namespace wirelay::ctrl
