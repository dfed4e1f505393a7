// From the workers' rings, the most urgent first and a few at a time.
#include "ctrl/packets/pump.h"

#include <algorithm>
#include <chrono>
#include <span>

#include <rte_cycles.h>

#include "ctrl/host/slice.h"

namespace wirelay::ctrl {

namespace {

constexpr unsigned kEventsAtOnce = 16;  // of one worker
/// Packets that wait: each may cost a handshake's arithmetic, up to a quarter of a millisecond.
constexpr unsigned kCostlyAtOnce = 4;
constexpr unsigned kAnswersAtOnce = 16;  // computed elsewhere; some microseconds each

bool is_protocols(const dataplane::Punt& punt) {
  switch (punt.reason) {
    case dataplane::PuntReason::kHandshake:
    case dataplane::PuntReason::kExpected:
    case dataplane::PuntReason::kPathReport:
    case dataplane::PuntReason::kNoSession:
      return true;
    case dataplane::PuntReason::kArp:
    case dataplane::PuntReason::kNeighbour:
    case dataplane::PuntReason::kUnresolved:
    case dataplane::PuntReason::kNoBlock:
      return false;
  }
  return false;
}

template <typename Clock>
uint64_t nanoseconds_of() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
          .count());
}

}  // namespace

Now read_clocks() {
  return {nanoseconds_of<std::chrono::steady_clock>(), rte_rdtsc(),
          nanoseconds_of<std::chrono::system_clock>()};
}

Pump::Result Pump::turn() {
  const Slice slice(kTurn);
  Result result = Result::kIdle;
  for (size_t idle = 0; idle < shared_.mailboxes.size();) {
    if (step() == 0) {
      ++idle;
      continue;
    }
    idle = 0;
    result = Result::kDone;
    if (slice.over()) return Result::kMore;
  }
  return result;
}

unsigned Pump::step() {
  unsigned served = 0;
  for (const auto& mailbox : shared_.mailboxes) {
    served += serve(mailbox->discovery, dataplane::Mailbox::kDiscoverySize);
  }
  // Events are quick, and a confirmed session spares the punts behind it.
  for (const auto& mailbox : shared_.mailboxes) served += serve(mailbox->events);
  served += protocol_.finish_answers(kAnswersAtOnce, read_clocks());
  const size_t worker = next_;
  next_ = (next_ + 1) % shared_.mailboxes.size();
  served += serve(shared_.mailboxes[worker]->expected, protocol_.handshakes_at_once());
  served += serve_handshakes(worker);
  return served + serve(shared_.mailboxes[worker]->waiting, kCostlyAtOnce);
}

/// What handshakes cost is known, but not what others leave us of our processor, nor how many found
/// their ring full.
unsigned Pump::serve_handshakes(size_t worker) {
  auto& ring = shared_.mailboxes[worker]->handshakes;
  const unsigned waiting = ring.count();
  const unsigned served = serve(ring, protocol_.handshakes_at_once());
  if (backlogs_[worker].stays(waiting, served)) protocol_.note_load(read_clocks());
  return served;
}

unsigned Pump::serve(dataplane::Ring<dataplane::Event>& events) {
  dataplane::Event items[kEventsAtOnce];
  const unsigned count = events.pop_burst(items, kEventsAtOnce);
  for (unsigned i = 0; i < count; ++i) protocol_.handle(items[i], read_clocks());
  return count;
}

unsigned Pump::serve(dataplane::Ring<dataplane::Punt>& punts, unsigned most) {
  dataplane::Punt items[dataplane::Mailbox::kDiscoverySize];
  const unsigned count = punts.pop_burst(items, most);
  if (count == 0) return 0;
  const Now now = read_clocks();
  // The protocol's go to it together, before the others.
  const auto others = std::stable_partition(items, items + count, is_protocols);
  protocol_.handle(std::span<const dataplane::Punt>(items, others), now);
  for (const dataplane::Punt* punt = others; punt != items + count; ++punt) hand_on(*punt, now);
  return count;
}

/// What is not the protocol's.
void Pump::hand_on(const dataplane::Punt& punt, const Now& now) {
  if (punt.reason == dataplane::PuntReason::kNoBlock) {
    nat_->handle(punt);
  } else {
    neighbours_.handle(punt, now);
  }
}

}  // namespace wirelay::ctrl
