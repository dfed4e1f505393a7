// The neighbours that we know or look for, each with its number in the adjacency table, which is
// what workers see. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <rte_ether.h>

#include "dataplane/ip.h"
#include "dataplane/port.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/adjacency.h"

namespace wirelay::ctrl {

/// Times are monotonic nanoseconds.
struct Neighbour {
  enum class State : uint8_t {
    kFree,
    kIdle,      // not resolved, and nobody asks for it
    kAsking,    // not resolved: everybody is asked
    kResolved,  // its address is published
    kProbing,   // the same, and it is asked whether it is still there
    kSilent,    // a gateway that did not answer then: its address stays, and everybody is asked
  };
  dataplane::IpAddr addr;
  uint16_t port = 0;
  State state = State::kFree;
  uint8_t tries = 0;     // questions sent in this state
  bool gateway = false;  // from the configuration: never given up
  bool routed = false;   // the prefix table has a host route to it
  bool failed = false;   // it did not answer the last time
  uint32_t holds = 0;    // peers' paths that lead over it
  uint64_t due_ns = 0;   // when there is something to do, in all states but kIdle
  uint64_t used_ns = 0;  // last use that was seen
  rte_ether_addr mac{};  // valid when resolved

  [[nodiscard]] bool resolved() const noexcept {
    return state == State::kResolved || state == State::kProbing || state == State::kSilent;
  }
};

class NeighbourTable {
 public:
  /// Each of the `ports` in use has an equal share of the adjacencies, so that a scan of one port's
  /// networks takes no room from another's.
  NeighbourTable(dataplane::AdjacencyTable& adjacencies, dataplane::Rcu& rcu, size_t ports);
  NeighbourTable(const NeighbourTable&) = delete;
  NeighbourTable& operator=(const NeighbourTable&) = delete;

  [[nodiscard]] std::optional<uint16_t> find(uint16_t port, const dataplane::IpAddr& addr) const;
  /// A new entry in state kIdle; nullopt when the port's share is used up.
  std::optional<uint16_t> add(uint16_t port, const dataplane::IpAddr& addr);
  /// Workers stop seeing it at once; its number is free after the grace period.
  void remove(uint16_t number);
  Neighbour& operator[](uint16_t number) noexcept { return entries_[number]; }
  [[nodiscard]] const Neighbour& operator[](uint16_t number) const noexcept {
    return entries_[number];
  }
  /// Numbers from here on were never used.
  [[nodiscard]] uint16_t end() const noexcept { return static_cast<uint16_t>(entries_.size()); }
  /// Entries that each port may have.
  [[nodiscard]] size_t share() const noexcept { return share_; }
  /// Entries of the port that can still be added, now and when the grace periods of those removed
  /// have ended.
  [[nodiscard]] size_t room(uint16_t port) const noexcept;

  /// Publishes its link-layer address, or takes it back.
  void publish(uint16_t number, const rte_ether_addr& mac) noexcept;
  void withdraw(uint16_t number) noexcept;
  /// Whether a worker has sent to it since the last call.
  bool take_used(uint16_t number) noexcept;

 private:
  struct Key {
    dataplane::IpAddr addr;
    uint16_t port;
    bool operator==(const Key&) const = default;
  };
  /// Entries are for our own networks only, and no port has more than its share.
  struct Hash {
    size_t operator()(const Key& key) const noexcept;
  };
  dataplane::AdjacencyTable& adjacencies_;
  dataplane::Rcu& rcu_;
  std::vector<Neighbour> entries_;  // by adjacency number
  std::unordered_map<Key, uint16_t, Hash> numbers_;
  struct Unused {
    std::vector<uint16_t> free;
    // By port: numbers that are not free; and of these, those that are free after a grace period.
    std::array<size_t, dataplane::kMaxPorts> taken{}, leaving{};
  };
  const size_t share_;
  std::shared_ptr<Unused> unused_;  // shared with what waits for a grace period
};

}  // namespace wirelay::ctrl
