// Keeping, finding and forgetting events.
#include "ctrl/events/log.h"

#include <algorithm>
#include <utility>

namespace wirelay::ctrl::events {

namespace {

EventRef lost_event(uint64_t how_many, uint64_t last, uint64_t unix_ns) {
  Event event{.kind = Kind::kLost, .user = {}, .peer = {}, .fields = {{"events", how_many}}};
  event.number = last;
  event.unix_ns = unix_ns;
  return std::make_shared<const Event>(std::move(event));
}

/// How many it stands for.
uint64_t weight(const Event& event) {
  return event.kind == Kind::kLost ? std::get<uint64_t>(event.fields.front().value) : 1;
}

}  // namespace

bool Filter::wants(const Event& event) const {
  if (event.kind == Kind::kLost) return true;
  if (user && event.user != *user) return false;
  return kinds.none() || kinds[static_cast<size_t>(event.kind)];
}

void Log::take(const Batch& batch) {
  for (const Event& event : *batch) {
    if (first_ != 0 && event.number > newest_ + 1) {  // some found no room on their way here
      add(lost_event(event.number - newest_ - 1, event.number - 1, event.unix_ns));
    }
    add(EventRef(batch, &event));
  }
  for (Reader* reader : std::vector(readers_)) {  // waking one may end others
    if (std::ranges::find(readers_, reader) != readers_.end()) reader->wake_();
  }
}

void Log::begin_with(std::vector<Event> events) {
  if (events.empty()) return;
  const Batch batch = std::make_shared<const std::vector<Event>>(std::move(events));
  const size_t many = std::min(batch->size(), kept_);
  for (size_t i = batch->size() - many; i < batch->size(); ++i) {
    events_.emplace_back(batch, &(*batch)[i]);
  }
  newest_ = batch->back().number;
}

void Log::add(EventRef event) {
  newest_ = event->number;
  if (first_ == 0) first_ = newest_;
  events_.push_back(std::move(event));
  if (events_.size() > kept_) drop_oldest();
}

void Log::keep(size_t most) {
  kept_ = most;
  while (events_.size() > kept_) drop_oldest();
}

void Log::drop_oldest() {
  const Event& oldest = *events_.front();
  for (Reader* reader : readers_) {
    if (reader->seen_ < oldest.number) reader->lose(oldest);
  }
  events_.pop_front();
}

size_t Log::first_after(uint64_t number) const {
  const auto found = std::ranges::upper_bound(events_, number, {},
                                              [](const EventRef& event) { return event->number; });
  return static_cast<size_t>(found - events_.begin());
}

std::vector<EventRef> Log::after(uint64_t since, const Filter& filter, size_t limit) const {
  std::vector<EventRef> found;
  for (size_t i = first_after(since); i < events_.size() && found.size() < limit; ++i) {
    if (filter.wants(*events_[i])) found.push_back(events_[i]);
  }
  return found;
}

Reader::Reader(Log& log, Filter filter, std::optional<uint64_t> since, std::function<void()> wake)
    : log_(log),
      filter_(std::move(filter)),
      wake_(std::move(wake)),
      seen_(std::min(since.value_or(log.newest()), log.newest())) {
  log_.readers_.push_back(this);
  // What it has missed of this run; how much there was of the run before nobody knows.
  const bool of_this_run = seen_ != 0 && seen_ + 1 >= log.first_;
  if (!of_this_run || log.events_.empty() || log.events_.front()->number <= seen_ + 1) return;
  lost_ = log.events_.front()->number - seen_ - 1;
  seen_ += lost_;
}

Reader::~Reader() { std::erase(log_.readers_, this); }

EventRef Reader::next() {
  if (lost_ != 0) {
    const auto& oldest = log_.events_.front();
    return lost_event(std::exchange(lost_, 0), seen_, oldest->unix_ns);
  }
  for (size_t i = log_.first_after(seen_); i < log_.events_.size(); ++i) {
    const EventRef& event = log_.events_[i];
    seen_ = event->number;
    if (filter_.wants(*event)) return event;
  }
  return nullptr;
}

void Reader::lose(const Event& event) {
  seen_ = event.number;
  if (filter_.wants(event)) lost_ += weight(event);
}

}  // namespace wirelay::ctrl::events
