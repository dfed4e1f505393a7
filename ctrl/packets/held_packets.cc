// One list in order of arrival, and for each number its places in it.
#include "ctrl/packets/held_packets.h"

namespace wirelay::ctrl {

HeldPackets::~HeldPackets() {
  for (const Packet& packet : packets_) rte_pktmbuf_free(packet.mbuf);
}

void HeldPackets::give_up(Place place) {
  const auto owner = places_.find(place->whom);
  owner->second.erase(owner->second.begin());  // the oldest of all is the oldest of its number
  if (owner->second.empty()) places_.erase(owner);
  rte_pktmbuf_free(place->mbuf);
  packets_.erase(place);
}

size_t HeldPackets::hold(uint32_t whom, rte_mbuf* mbuf) {
  size_t given_up = 0;
  const auto waiting = places_.find(whom);
  if (waiting != places_.end() && waiting->second.size() >= most_for_one_) {
    give_up(waiting->second.front());
    given_up = 1;
  } else if (packets_.size() >= most_) {
    give_up(packets_.begin());
    given_up = 1;
  }
  places_[whom].push_back(packets_.insert(packets_.end(), {whom, mbuf}));
  return given_up;
}

std::vector<rte_mbuf*> HeldPackets::take(uint32_t whom) {
  std::vector<rte_mbuf*> out;
  const auto waiting = places_.find(whom);
  if (waiting == places_.end()) return out;
  for (const Place& place : waiting->second) {
    out.push_back(place->mbuf);
    packets_.erase(place);
  }
  places_.erase(waiting);
  return out;
}

size_t HeldPackets::drop(uint32_t whom) {
  const std::vector<rte_mbuf*> packets = take(whom);
  for (rte_mbuf* mbuf : packets) rte_pktmbuf_free(mbuf);
  return packets.size();
}

}  // namespace wirelay::ctrl
