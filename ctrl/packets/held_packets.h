// Packets that wait, for a session or for a neighbour: few for each, few altogether, the oldest
// given up first.
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
  /// Whom packets wait for has a number: a peer's, or an adjacency's. Both bounds are at least 1.
  HeldPackets(size_t most_for_one, size_t most) : most_for_one_(most_for_one), most_(most) {}
  ~HeldPackets();
  HeldPackets(const HeldPackets&) = delete;
  HeldPackets& operator=(const HeldPackets&) = delete;

  /// Owns the mbuf from then on. Returns how many packets were given up for it: 0 or 1.
  size_t hold(uint32_t whom, rte_mbuf* mbuf);
  /// Who waits for `whom`, oldest first; they are the caller's.
  std::vector<rte_mbuf*> take(uint32_t whom);
  /// Frees what waits for `whom` and returns how many packets there were.
  size_t drop(uint32_t whom);
  [[nodiscard]] size_t size() const noexcept { return packets_.size(); }

 private:
  struct Packet {
    uint32_t whom;
    rte_mbuf* mbuf;
  };
  using Place = std::list<Packet>::iterator;
  void give_up(Place place);

  const size_t most_for_one_;
  const size_t most_;
  std::list<Packet> packets_;                                // in order of arrival
  std::unordered_map<uint32_t, std::vector<Place>> places_;  // by whom, each in order of arrival
};

}  // namespace wirelay::ctrl
