// fragment: cuts packets that are larger than their way takes, where that is allowed: IPv4 without
// "don't fragment", and answers of the relay itself. Fragments go on where the packet would have
// gone, each as a packet of its own.
#include "dataplane/net/fragment.h"

#include <cstring>

#include "dataplane/pipeline.h"
#include "dataplane/stages/answer.h"
#include "dataplane/worker.h"

namespace wirelay::dataplane::stages {

namespace {

class Cutter {
 public:
  Cutter(Worker& worker, Burst& burst) noexcept : worker_(worker), burst_(burst) {}

  void packet(uint16_t i) noexcept {
    const PacketMeta& m = burst_.meta[i];
    const uint16_t count = count_fragments(burst_.mbufs[i], m.mtu);
    if (count == 0) return burst_.drop(i, Drop::kTooBig);
    const bool back = m.onward == Next::kSent;
    // What finds no room now stays, for the next round.
    if (!back && lane_of(m).count + count > kBurstSize) return;
    rte_mbuf* fragments[kMostFragments];
    if (!make_fragments(burst_.mbufs[i], m.mtu, worker_.next_fragment_id++, worker_.shared.pool,
                        fragments)) {
      return burst_.drop(i, Drop::kNoBuffer);
    }
    for (uint16_t k = 0; k < count; ++k) {
      if (back) {
        send(i, fragments[k]);
      } else {
        append(i, fragments[k]);
      }
    }
    rte_pktmbuf_free(burst_.mbufs[i]);
    worker_.counters.made.add(count - 1u);
    burst_.divert(i, Next::kSent);
  }

 private:
  [[nodiscard]] Burst& lane_of(const PacketMeta& m) noexcept {
    return worker_.lane(static_cast<Lane>(m.onward));
  }

  void append(uint16_t i, rte_mbuf* fragment) noexcept {
    const PacketMeta& m = burst_.meta[i];
    if (burst_.plain(i)) copy_link_header(burst_.mbufs[i], fragment);
    Burst& lane = lane_of(m);
    lane.mbufs[lane.count] = fragment;
    PacketMeta& meta = lane.meta[lane.count++] = m;
    meta.ip_bytes = fragment->data_len;
    meta.mtu = 0;
    meta.next = m.onward;
  }

  /// Who came by a port is answered by it.
  static void copy_link_header(const rte_mbuf* packet, rte_mbuf* fragment) noexcept {
    std::memcpy(rte_pktmbuf_mtod(fragment, uint8_t*) - RTE_ETHER_HDR_LEN,
                rte_pktmbuf_mtod(packet, const uint8_t*) - RTE_ETHER_HDR_LEN, RTE_ETHER_HDR_LEN);
  }

  void send(uint16_t i, rte_mbuf* fragment) noexcept {
    if (send_back(worker_, fragment, link_sender(burst_.mbufs[i]))) return;
    rte_pktmbuf_free(fragment);
    worker_.count(Drop::kNoHeadroom);
  }

  Worker& worker_;
  Burst& burst_;
};

}  // namespace

void fragment(Worker& worker, Burst& burst) noexcept {
  Cutter cutter(worker, burst);
  for (uint16_t i = 0; i < burst.count; ++i) {
    burst.meta[i].next = Next::kFragment;
    cutter.packet(i);
  }
}

}  // namespace wirelay::dataplane::stages
