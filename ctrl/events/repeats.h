// Events that may come as often as strangers like: of each the first is told, and at the end of ten
// seconds the last of those that followed, with how many they were. So no flood fills the log.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "ctrl/events/event.h"

namespace wirelay::ctrl::events {

/// Control thread.
class Repeats {
 public:
  explicit Repeats(Sink& sink) : sink_(sink) {}

  /// Tells `event`, or keeps it as the last of those with `key`. When there are kMostKeys of one
  /// window it counts as one of `common`, which is about nobody.
  void tell(uint64_t key, uint64_t common, Event event);
  /// Ends the window when it is over.
  void tick(uint64_t now_ns);

  static constexpr size_t kMostKeys = 100;
  static constexpr uint64_t kWindowNs = 10'000'000'000;

 private:
  struct Entry {
    Event last;
    uint64_t times = 0;  // since the one that was told
  };
  Sink& sink_;
  uint64_t end_ns_ = 0;
  std::unordered_map<uint64_t, Entry> entries_;
};

}  // namespace wirelay::ctrl::events
