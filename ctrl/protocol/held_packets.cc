// One list in order of arrival, and for each peer its places in it.
#include "ctrl/protocol/held_packets.h"

namespace wirelay::ctrl {

HeldPackets::~HeldPackets() {
  for (const Packet& packet : packets_) rte_pktmbuf_free(packet.mbuf);
}

void HeldPackets::give_up(Place place) {
  const auto owner = peers_.find(place->peer);
  owner->second.erase(owner->second.begin());  // the oldest of all is the oldest of its peer
  if (owner->second.empty()) peers_.erase(owner);
  rte_pktmbuf_free(place->mbuf);
  packets_.erase(place);
}

size_t HeldPackets::hold(uint32_t peer, rte_mbuf* mbuf) {
  size_t given_up = 0;
  const auto waiting = peers_.find(peer);
  if (waiting != peers_.end() && waiting->second.size() >= kMostForPeer) {
    give_up(waiting->second.front());
    given_up = 1;
  } else if (packets_.size() >= kMost) {
    give_up(packets_.begin());
    given_up = 1;
  }
  peers_[peer].push_back(packets_.insert(packets_.end(), {peer, mbuf}));
  return given_up;
}

std::vector<rte_mbuf*> HeldPackets::take(uint32_t peer) {
  std::vector<rte_mbuf*> out;
  const auto waiting = peers_.find(peer);
  if (waiting == peers_.end()) return out;
  for (const Place& place : waiting->second) {
    out.push_back(place->mbuf);
    packets_.erase(place);
  }
  peers_.erase(waiting);
  return out;
}

size_t HeldPackets::drop(uint32_t peer) {
  const std::vector<rte_mbuf*> packets = take(peer);
  for (rte_mbuf* mbuf : packets) rte_pktmbuf_free(mbuf);
  return packets.size();
}

}  // namespace wirelay::ctrl
