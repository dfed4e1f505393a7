// Events from the control thread to others.
#include "ctrl/events/outbox.h"

#include <atomic>
#include <utility>

namespace wirelay::ctrl::events {

void Outbox::tell(Event event) {
  event.number = next_++;
  if (waiting_.size() < kMostWaiting) waiting_.push_back(std::move(event));
}

void Outbox::flush(uint64_t unix_ns) {
  if (waiting_.empty()) return;
  for (Event& event : waiting_) event.unix_ns = unix_ns;
  const Batch batch = std::make_shared<const std::vector<Event>>(std::exchange(waiting_, {}));
  for (const Take& take : takers_) take(batch);
}

Outbox::Take carry_to(EventLoop& loop, size_t most, Outbox::Take take) {
  const auto under_way = std::make_shared<std::atomic<size_t>>(0);
  return [&loop, most, take = std::move(take), under_way](const Batch& batch) {
    if (under_way->load(std::memory_order_relaxed) > most) return;
    under_way->fetch_add(batch->size(), std::memory_order_relaxed);
    loop.post([take, under_way, batch] {
      take(batch);
      under_way->fetch_sub(batch->size(), std::memory_order_relaxed);
    });
  };
}

}  // namespace wirelay::ctrl::events
