// Where the control thread puts what it tells of: numbered at once, and handed on once a turn to
// whoever takes events, the API's log first of all.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "ctrl/events/event.h"
#include "ctrl/host/event_loop.h"

namespace wirelay::ctrl::events {

/// Events of a turn, in order; any thread may read them.
using Batch = std::shared_ptr<const std::vector<Event>>;

/// Control thread. Numbers are consecutive while the relay runs, and begin at the time of its start
/// in microseconds: so they go on rising when it starts again. Who misses events sees a gap.
class Outbox : public Sink {
 public:
  /// Takes a batch, on the control thread, without waiting for anything; what it has no room for
  /// is lost to it.
  using Take = std::function<void(const Batch& batch)>;

  explicit Outbox(uint64_t unix_ns) : next_(unix_ns / kNsOfNumber) {}
  /// Before any is told: numbers go on behind this one, of an earlier run whose clock was ahead.
  void go_on_behind(uint64_t number) { next_ = std::max(next_, number + 1); }

  /// Hands all that is told from now on to `take` as well.
  void add(Take take) { takers_.push_back(std::move(take)); }

  void tell(Event event) override;
  /// Hands on what was told since the last time, as of `unix_ns`.
  void flush(uint64_t unix_ns);

  /// Told between two calls of flush(), at most: what comes on top has a number and is lost.
  static constexpr size_t kMostWaiting = 50'000;

 private:
  static constexpr uint64_t kNsOfNumber = 1000;
  uint64_t next_;
  std::vector<Event> waiting_;
  std::vector<Take> takers_;
};

/// Carries batches to `take` on the thread of `loop`; of what waits there more than `most` events
/// are too many, and those that come then are lost to it.
Outbox::Take carry_to(EventLoop& loop, size_t most, Outbox::Take take);

}  // namespace wirelay::ctrl::events
