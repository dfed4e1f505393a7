// Packets that wait for a session: few for each peer, few altogether, the oldest given up first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include <rte_mbuf.h>

namespace wirelay::ctrl {

class HeldPackets {
 public:
  static constexpr size_t kMostForPeer = 16;
  static constexpr size_t kMost = 4096;

  HeldPackets() = default;
  ~HeldPackets();
  HeldPackets(const HeldPackets&) = delete;
  HeldPackets& operator=(const HeldPackets&) = delete;

  /// Owns the mbuf from then on. Returns how many packets were given up for it: 0 or 1.
  size_t hold(uint32_t peer, rte_mbuf* mbuf);
  /// The peer's packets, oldest first; they are the caller's.
  std::vector<rte_mbuf*> take(uint32_t peer);
  /// Frees the peer's packets and returns how many there were.
  size_t drop(uint32_t peer);
  [[nodiscard]] size_t size() const noexcept { return packets_.size(); }

 private:
  struct Packet {
    uint32_t peer;
    rte_mbuf* mbuf;
  };
  using Place = std::list<Packet>::iterator;
  void give_up(Place place);

  std::list<Packet> packets_;                               // in order of arrival
  std::unordered_map<uint32_t, std::vector<Place>> peers_;  // each in order of arrival
};

}  // namespace wirelay::ctrl
