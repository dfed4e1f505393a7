// The worker's loop: queues and rings in, pipeline, frames out; see worker.h.
#include "dataplane/worker.h"

#include <algorithm>
#include <bit>
#include <ctime>
#include <iterator>
#include <utility>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <rte_random.h>

#include "dataplane/net/headers.h"
#include "dataplane/pipeline.h"

namespace wirelay::dataplane {

namespace {

constexpr uint64_t kPollsOfGivingUp = 1024;
/// One poll with work in so many is timed; odd, so that no pattern of the traffic keeps step.
constexpr uint64_t kTimedEvery = 31;
/// Polls between two looks at how much waits: some drivers walk over the whole queue for it.
constexpr uint64_t kPollsOfLooking = 251;

std::unique_ptr<NatFlows> make_nat_flows(const Shared& shared) {
  if (!shared.nat) return nullptr;
  const uint32_t records = shared.nat->settings.flows / shared.workers;
  return std::make_unique<NatFlows>(*shared.nat, records, shared.tsc_hz);
}

/// Adaptive polling: after some empty polls a worker sleeps, each time a little longer.
class Sleeper {
 public:
  /// There was something to do.
  void wake() noexcept {
    empty_ = 0;
    sleep_ns_ = kFirstNs;
  }
  /// A poll was empty: it is time to sleep.
  bool tired() noexcept { return ++empty_ > kSpins; }
  /// The one system call of a worker. `received`: packets that came in so far.
  void sleep(uint64_t received) noexcept {
    const timespec pause{0, sleep_ns_};
    nanosleep(&pause, nullptr);
    silent_ = std::exchange(received_, received) == received ? silent_ + 1 : 0;
    sleep_ns_ = std::min(sleep_ns_ * 2, silent_ > kOfASecond ? kLongestIdleNs : kLongestNs);
  }

 private:
  static constexpr unsigned kSpins = 256;
  static constexpr long kFirstNs = 1'000, kLongestNs = 500'000;
  static constexpr long kLongestIdleNs = 2'000'000;  // when nothing has come in for a second
  static constexpr unsigned kOfASecond = 2'000;

  unsigned empty_ = 0, silent_ = 0;  // polls; sleeps, since something came in
  long sleep_ns_ = kFirstNs;
  uint64_t received_ = 0;
};

uint64_t address_bits(const Shared& shared) noexcept {
  uint64_t bits = 0;
  for (const Port& port : shared.ports) {
    for (const PortAddress& a : port.addresses) bits |= Worker::address_bit(a.addr);
  }
  return bits;
}

}  // namespace

Worker::Worker(unsigned worker_id, Shared& all, std::unique_ptr<crypto::AeadEngine> engine,
               std::vector<RxQueue> queues, Polling polling)
    : id(worker_id),
      shared(all),
      own_addresses(address_bits(all)),
      allowances(all.tsc_hz),
      plain_parts(all.tsc_hz),
      tunnel_parts(all.tsc_hz),
      next_fragment_id(static_cast<uint32_t>(rte_rand())),
      nat_flows(make_nat_flows(all)),
      engine_(std::move(engine)),
      queues_(std::move(queues)),
      polling_(polling),
      mailbox_(*all.mailboxes.at(worker_id)) {
  for (size_t i = 0; i < std::size(bursts_); ++i) lanes_[i] = &bursts_[i];
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
  Sleeper sleeper;
  shared.rcu.online(id);
  uint64_t next = rte_rdtsc();
  while (!stop.load(std::memory_order_relaxed)) {
    const uint64_t begin = next;
    const unsigned taken = poll(begin);
    shared.rcu.quiescent(id);
    next = rte_rdtsc();
    if (taken != 0) {
      counters.busy_cycles.add(next - begin);
      sleeper.wake();
    } else if (polling_ == Polling::kAdaptive && sleeper.tired()) {
      // Nobody who waits for a grace period waits for a sleeper.
      shared.rcu.offline(id);
      sleeper.sleep(counters.rx_packets.get());
      shared.rcu.online(id);
      counters.sleeps.add(1);
      next = rte_rdtsc();
    } else {
      rte_pause();
    }
  }
  shared.rcu.offline(id);
}

unsigned Worker::poll(uint64_t tsc) noexcept {
  now = tsc;
  police_time = shared.users.time(tsc);
  unsigned taken = 0;
  if (counters.polls.get() % kPollsOfLooking == 0) look_at_queues();
  // One burst of each source a poll: none of them waits for another to run dry.
  for (const RxQueue& q : queues_) {
    rte_mbuf** const in = lane(Lane::kIngress).mbufs;
    const uint16_t n = rte_eth_rx_burst(q.port, q.queue, in, kBurstSize);
    counters.rx_packets.add(n);
    if (n != 0) counters.bursts.add(1);
    if (n == kBurstSize) counters.full_bursts.add(1);
    for (uint16_t i = 0; i < n; ++i) in[i]->port = q.port;  // ring ports leave it to us
    taken += receive(n);
  }
  taken += receive(mailbox_.handoff.pop_burst(lane(Lane::kIngress).mbufs, kBurstSize));
  taken += take_refused();
  if (nat_flows != nullptr) {
    nat_flows->age(now);
    taken += take_strays();
  }
  rte_mbuf* frames[kBurstSize];
  const unsigned n = mailbox_.transmit.pop_burst(frames, kBurstSize);
  for (unsigned i = 0; i < n; ++i) send(frames[i]->port, frames[i]);
  taken += n;

  for (uint32_t left = tx_pending_; left != 0; left &= left - 1) {
    flush(static_cast<uint16_t>(std::countr_zero(left)));
  }
  // Also when no more come: those that wait hold buffers.
  if (counters.polls.get() % kPollsOfGivingUp == 0) give_up_fragments();
  counters.polls.add(1);
  if (taken == 0) {
    counters.empty_polls.add(1);
  } else if (++polls_with_work_ % kTimedEvery == 0) {
    const uint64_t ns = (shared.users.time(rte_rdtsc()) - police_time) / kPoliceUnitsPerNs;
    counters.time.add(ns, taken);
  }
  return taken;
}

void Worker::look_at_queues() noexcept {
  for (const RxQueue& q : queues_) {
    const int queued = rte_eth_rx_queue_count(q.port, q.queue);
    if (queued < 0) continue;  // the driver does not say
    counters.queue_looks.add(1);
    counters.queued.add(static_cast<uint64_t>(queued));
  }
}

/// Sends the `count` frames at the front of the ingress lane through the pipeline.
unsigned Worker::receive(unsigned count) noexcept {
  if (count == 0) return 0;
  Burst& in = lane(Lane::kIngress);
  for (unsigned i = 0; i < count; ++i) in.meta[i] = PacketMeta{};
  in.count = static_cast<uint16_t>(count);
  run_pipeline(*this);
  return count;
}

void Worker::give_up_fragments() noexcept {
  for (Reassembler* parts : {&plain_parts, &tunnel_parts}) parts->expire(now);
  count_fragments();
}

void Worker::count_fragments() noexcept {
  for (Reassembler* parts : {&plain_parts, &tunnel_parts}) {
    count(Drop::kFragment, parts->take_lost());
    counters.joined.add(parts->take_joined());
  }
}

/// What the control thread knows no more of such a packet than it says itself: whose it was is
/// looked up anew. Others than peers' are not answered.
unsigned Worker::take_refused() noexcept {
  Refused refused[kBurstSize];
  const unsigned count = mailbox_.refused.pop_burst(refused, kBurstSize);
  if (count == 0) return 0;
  Burst& errors = lane(Lane::kError);
  for (unsigned i = 0; i < count; ++i) {
    rte_mbuf* packet = refused[i].mbuf;
    const IpAddr from = source_of(rte_pktmbuf_mtod(packet, const uint8_t*));
    const RouteTarget sender = shared.prefixes.lookup(from);
    if (sender.kind() != RouteKind::kPeer) {
      this->count(refused[i].reason);
      rte_pktmbuf_free(packet);
      continue;
    }
    PacketMeta& m = errors.meta[errors.count] = PacketMeta{};
    m.sender = sender.id();
    m.next = Next::kError;
    m.drop = refused[i].reason;
    errors.mbufs[errors.count++] = packet;
  }
  run_pipeline(*this);
  return count;
}

unsigned Worker::take_strays() noexcept {
  Stray strays[kBurstSize];
  const unsigned count = mailbox_.strays.pop_burst(strays, kBurstSize);
  if (count == 0) return 0;
  for (unsigned i = 0; i < count; ++i) take_stray(strays[i]);
  run_pipeline(*this);
  return count;
}

/// Whose it is is looked up anew, as of what is refused.
/// Looked up again: while it waited its next hop may have become another's number.
bool Worker::find_way(const uint8_t* ip, PacketMeta& m) const noexcept {
  const RouteTarget to = shared.prefixes.lookup(destination_of(ip));
  if (to.kind() == RouteKind::kVia) {
    m.adjacency = static_cast<uint16_t>(to.id());
    m.port = shared.adjacencies[m.adjacency].port;
  } else if (to.kind() == RouteKind::kConnected) {
    m.adjacency = kNoAdjacency;
    m.port = static_cast<uint16_t>(to.id());
  } else {
    return false;
  }
  return shared.ports[m.port].translates;
}

void Worker::take_stray(const Stray& stray) noexcept {
  Burst& burst = lane(stray.outward ? Lane::kNatOut : Lane::kNatIn);
  PacketMeta m{};
  m.next = stray.outward ? Next::kNatOut : Next::kNatIn;
  m.ip_bytes = stray.mbuf->data_len;
  if (stray.outward) {
    const auto* ip = rte_pktmbuf_mtod(stray.mbuf, const uint8_t*);
    const RouteTarget sender = shared.prefixes.lookup(source_of(ip));
    if (sender.kind() != RouteKind::kPeer) {
      count(Drop::kSourceNotAllowed);
      return rte_pktmbuf_free(stray.mbuf);
    }
    m.peer = m.sender = sender.id();
    m.port = stray.port;
    if (m.port != kNatHairpin && !find_way(ip, m)) {
      count(Drop::kNoRoute);
      return rte_pktmbuf_free(stray.mbuf);
    }
  }
  burst.mbufs[burst.count] = stray.mbuf;
  burst.meta[burst.count++] = m;
}

void Worker::flush(uint16_t number) noexcept {
  TxBuffer& buffer = tx_[number];
  const Port& port = shared.ports[number];
  const bool down = (shared.ports_down.load(std::memory_order_relaxed) >> number & 1) != 0;
  unsigned taken = 0;
  if (down) {
    // A queue that nobody empties would be full of old packets when the link comes back.
  } else if (id < port.tx_queues) {
    taken = rte_eth_tx_burst(number, static_cast<uint16_t>(id), buffer.mbufs, buffer.count);
    counters.tx_packets.add(taken);
  } else if (port.tx_queues != 0) {
    for (uint16_t i = 0; i < buffer.count; ++i) buffer.mbufs[i]->port = number;
    taken = shared.mailboxes[id % port.tx_queues]->transmit.push_burst(buffer.mbufs, buffer.count);
  }
  if (taken < buffer.count) {
    count(down ? Drop::kPortDown : Drop::kTransmitFull, buffer.count - taken);
    rte_pktmbuf_free_bulk(buffer.mbufs + taken, buffer.count - taken);
  }
  buffer.count = 0;
  tx_pending_ &= ~(uint32_t{1} << number);
}

}  // namespace wirelay::dataplane
