// From the workers' rings, a few at a time.
#include "ctrl/packets/pump.h"

#include <chrono>

#include <rte_cycles.h>

namespace wirelay::ctrl {

namespace {

constexpr unsigned kAtOnce = 16;  // punts or events of one worker before the next one's turn

template <typename Clock>
uint64_t nanoseconds() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch())
          .count());
}

}  // namespace

Now read_clocks() {
  return {nanoseconds<std::chrono::steady_clock>(), rte_rdtsc(),
          nanoseconds<std::chrono::system_clock>()};
}

Pump::Result Pump::turn() {
  const uint64_t start = read_clocks().ns;
  Result result = Result::kIdle;
  for (unsigned empty = 0; empty < shared_.mailboxes.size();) {
    dataplane::Mailbox& mailbox = *shared_.mailboxes[next_];
    next_ = (next_ + 1) % shared_.mailboxes.size();
    if (serve(mailbox) == 0) {
      ++empty;
      continue;
    }
    empty = 0;
    result = Result::kDone;
    if (read_clocks().ns - start >= kTurnNs) return Result::kMore;
  }
  return result;
}

unsigned Pump::serve(dataplane::Mailbox& mailbox) {
  // Events first: they are quick, and a confirmed session spares the punts behind it.
  dataplane::Event events[kAtOnce];
  const unsigned event_count = mailbox.events.pop_burst(events, kAtOnce);
  for (unsigned i = 0; i < event_count; ++i) protocol_.handle(events[i], read_clocks());
  dataplane::Punt punts[kAtOnce];
  const unsigned punt_count = mailbox.punts.pop_burst(punts, kAtOnce);
  for (unsigned i = 0; i < punt_count; ++i) hand_on(punts[i], read_clocks());
  return event_count + punt_count;
}

void Pump::hand_on(const dataplane::Punt& punt, const Now& now) {
  switch (punt.reason) {
    case dataplane::PuntReason::kHandshake:
    case dataplane::PuntReason::kNoSession:
      protocol_.handle(punt, now);
      return;
    case dataplane::PuntReason::kArp:
    case dataplane::PuntReason::kNeighbour:
    case dataplane::PuntReason::kUnresolved:
      neighbours_.handle(punt, now);
      return;
  }
}

}  // namespace wirelay::ctrl
