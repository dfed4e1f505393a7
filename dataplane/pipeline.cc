// Runs the stages in their order (pipeline.h), sorts what each has diverted, and counts.
#include "dataplane/pipeline.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/worker.h"

namespace wirelay::dataplane {

namespace {

static_assert(kPipeline.size() <= kMaxStages);
static_assert(
    [] {
      for (size_t i = 1; i < kPipeline.size(); ++i) {
        if (kPipeline[i].lane < kPipeline[i - 1].lane) return false;
      }
      return true;
    }(),
    "lanes run in the order of their stages");

/// One run of the pipeline in so many is timed: a prime, so that queues that are polled in turns
/// all come by.
constexpr uint64_t kTimedEvery = 31;

constexpr Lane lane_of(Next next) noexcept { return static_cast<Lane>(next); }
constexpr Lane next_lane(Lane lane) noexcept {
  return static_cast<Lane>(static_cast<uint8_t>(lane) + 1);
}
constexpr bool is_lane(Next next) noexcept { return next <= Next::kTransmit; }
static_assert(lane_of(Next::kError) == Lane::kError && lane_of(Next::kTransmit) == Lane::kTransmit);

/// Sorts the packets of one lane behind a stage.
class Sorter {
 public:
  Sorter(Worker& worker, Lane lane) noexcept
      : worker_(worker), lane_(lane), burst_(worker.lane(lane)) {}

  void run() noexcept {
    if (!move_all()) sort();
  }

 private:
  /// Mostly the whole burst has been sent, or goes to one lane that is empty: then the lanes change
  /// places and no packet is moved.
  bool move_all() noexcept {
    const Next next = burst_.meta[0].next;
    const bool sent = next == Next::kSent;
    // What stays finds its own lane not empty.
    if (!sent && (!is_lane(next) || worker_.lane(lane_of(next)).count != 0)) return false;
    for (uint16_t i = 1; i < burst_.count; ++i) {
      if (burst_.meta[i].next != next) return false;
    }
    burst_.diverted = false;
    if (sent) {
      burst_.count = 0;
    } else {
      worker_.swap_lanes(lane_, lane_of(next));
    }
    return true;
  }

  void sort() noexcept {
    uint16_t kept = 0;
    for (uint16_t i = 0; i < burst_.count; ++i) {
      if (lane_of(burst_.meta[i].next) != lane_) {
        move(burst_.mbufs[i], burst_.meta[i]);
        continue;
      }
      if (kept != i) {
        burst_.mbufs[kept] = burst_.mbufs[i];
        burst_.meta[kept] = burst_.meta[i];
      }
      ++kept;
    }
    burst_.count = kept;
    burst_.diverted = false;
    if (dead_count_ != 0) rte_pktmbuf_free_bulk(dead_, dead_count_);
  }

  void move(rte_mbuf* mbuf, const PacketMeta& meta) noexcept {
    switch (meta.next) {
      case Next::kDropped:
        return drop(mbuf, meta.drop);
      case Next::kPunt:
        return punt(mbuf, meta);
      case Next::kHandoff:
        return hand_off(mbuf, meta);
      case Next::kSent:
        return;
      default:
        break;
    }
    Burst& lane = worker_.lane(lane_of(meta.next));
    if (lane.count == kBurstSize) [[unlikely]] {
      return drop(mbuf, Drop::kLaneFull);
    }
    lane.mbufs[lane.count] = mbuf;
    lane.meta[lane.count++] = meta;
  }

  void drop(rte_mbuf* mbuf, Drop reason) noexcept {
    worker_.count(reason);
    dead_[dead_count_++] = mbuf;
  }

  void punt(rte_mbuf* mbuf, const PacketMeta& meta) noexcept {
    const Punt item{mbuf, meta.punt, static_cast<uint8_t>(worker_.id), meta.adjacency, meta.peer};
    if (!worker_.shared.mailboxes[worker_.id]->punts(meta.punt).push(item)) {
      return drop(mbuf, Drop::kPuntFull);
    }
    worker_.counters.punted.add(1);
  }

  void hand_off(rte_mbuf* mbuf, const PacketMeta& meta) noexcept {
    Mailbox& owner = *worker_.shared.mailboxes[meta.owner];
    const bool whole = lane_ == Lane::kNatIn || lane_ == Lane::kNatOut;  // not the frame it came as
    if (!(whole ? owner.strays.push(stray(mbuf, meta)) : owner.handoff.push(mbuf))) {
      return drop(mbuf, Drop::kHandoffFull);
    }
    worker_.counters.handed_off.add(1);
  }

  [[nodiscard]] Stray stray(rte_mbuf* mbuf, const PacketMeta& meta) const noexcept {
    return {mbuf, meta.port, lane_ == Lane::kNatOut};
  }

  Worker& worker_;
  const Lane lane_;
  Burst& burst_;
  rte_mbuf* dead_[kBurstSize];
  uint16_t dead_count_ = 0;
};

/// From the first lane to the last.
void run_round(Worker& worker) noexcept {
  // Reading the clock behind every stage costs a small burst as much as the stages do: one run in
  // some is timed, and stands for all of them.
  const bool timed = worker.runs++ % kTimedEvery == 0;
  uint64_t begin = timed ? rte_rdtsc() : 0;
  for (size_t i = 0; i < kPipeline.size(); ++i) {
    Burst& burst = worker.lane(kPipeline[i].lane);
    if (burst.count == 0) continue;
    StageCounters& counters = worker.counters.stages[i];
    counters.packets.add(burst.count);
    counters.batches.add(1);
    kPipeline[i].run(worker, burst);
    if (burst.diverted) Sorter(worker, kPipeline[i].lane).run();
    if (!timed) continue;
    const uint64_t end = rte_rdtsc();
    counters.cycles.add((end - begin) * kTimedEvery);
    begin = end;
  }
}

/// Is there anything in a lane that later ones may lead back to?
bool has_more(Worker& worker) noexcept {
  uint32_t count = 0;
  for (Lane lane = Lane::kError; lane <= Lane::kNatIn; lane = next_lane(lane)) {
    count += worker.lane(lane).count;
  }
  return count != 0;
}

}  // namespace

void run_pipeline(Worker& worker) noexcept {
  // It comes to an end: an error is never answered with an error, a fragment that was cut to fit is
  // not cut again, a packet that was put together has fewer headers than its parts had, and what
  // NAT sends back in goes to a peer.
  do {
    run_round(worker);
  } while (has_more(worker));
}

}  // namespace wirelay::dataplane
