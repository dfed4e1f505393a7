// Counting what repeats.
#include "ctrl/events/repeats.h"

namespace wirelay::ctrl::events {

void Repeats::tell(uint64_t key, uint64_t common, Event event) {
  auto found = entries_.find(key);
  if (found == entries_.end() && entries_.size() >= kMostKeys) {
    event.user.clear();
    event.peer.clear();
    key = common;
    found = entries_.find(key);
  }
  if (found == entries_.end()) {
    entries_.try_emplace(key);
    sink_.tell(std::move(event));
  } else {
    found->second.last = std::move(event);
    ++found->second.times;
  }
}

void Repeats::tick(uint64_t now_ns) {
  if (now_ns < end_ns_) return;
  end_ns_ = now_ns + kWindowNs;
  for (auto& [key, entry] : entries_) {
    if (entry.times == 0) continue;
    entry.last.fields.push_back({"times", entry.times});
    sink_.tell(std::move(entry.last));
  }
  entries_.clear();
}

}  // namespace wirelay::ctrl::events
