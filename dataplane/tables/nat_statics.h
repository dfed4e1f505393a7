// What NAT44 translates by rule rather than by mapping: ports of a public address that lead to a
// port inside, and public addresses that are one inside. There is no state, and any worker
// translates, either way. Immutable: others take their place as a whole (NatWriter).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace wirelay::dataplane {

/// One rule. Addresses in network order, ports in host order.
struct NatStatic {
  uint32_t address = 0;  // public
  uint32_t inside = 0;
  uint8_t protocol = 0;  // TCP or UDP; 0: all of the address, and the rest is unused
  uint16_t port = 0;     // the first of `count`
  uint16_t inside_port = 0;
  uint16_t count = 1;
  bool operator==(const NatStatic&) const = default;
};

class NatStatics {
 public:
  /// Rules with ends that no other has.
  explicit NatStatics(const std::vector<NatStatic>& rules);

  struct End {
    uint32_t address;  // network order
    uint16_t port;     // network order
  };
  [[nodiscard]] bool empty() const noexcept { return inward_.empty(); }
  /// The other end of a rule, for one end of a packet; nothing when there is no rule. `protocol` and
  /// `port` (network order) of the packet, or of the one that an error quotes; what has no port has
  /// zero.
  [[nodiscard]] std::optional<End> inward(uint32_t address, uint8_t protocol,
                                          uint16_t port) const noexcept {
    return find(inward_, address, protocol, port);
  }
  [[nodiscard]] std::optional<End> outward(uint32_t address, uint8_t protocol,
                                           uint16_t port) const noexcept {
    return find(outward_, address, protocol, port);
  }

 private:
  /// Open addressing, at most half full; a key of zero: free.
  struct Entry {
    uint64_t key = 0;
    End to{};
  };
  using Table = std::vector<Entry>;

  static uint64_t key_of(uint32_t address, uint8_t protocol, uint16_t port) noexcept {
    return uint64_t{address} << 24 | uint64_t{protocol} << 16 | port;
  }
  static void enter(Table& table, uint64_t key, const End& to);
  static const Entry* look(const Table& table, uint64_t key) noexcept;
  static std::optional<End> find(const Table& table, uint32_t address, uint8_t protocol,
                                 uint16_t port) noexcept;

  Table inward_, outward_;  // powers of two, or empty
};

}  // namespace wirelay::dataplane
