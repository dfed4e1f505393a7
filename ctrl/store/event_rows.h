// Events of before, as rows: the last ones, for a bounded time. Internal to ctrl/store.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ctrl/events/event.h"
#include "ctrl/store/database.h"

namespace wirelay::ctrl {

class EventRows {
 public:
  /// So many are kept, and none for longer.
  static constexpr int64_t kMost = 100'000;
  static constexpr uint64_t kSecondsKept = 30 * 86'400;

  explicit EventRows(Database& database);
  void add(const events::Event& event);
  /// Forgets what is too old, or too much; looks once in an hour of `now`, in Unix seconds.
  void prune(uint64_t now);

  /// The last `most`, the oldest first.
  static std::vector<events::Event> last(const Database& database, size_t most);

 private:
  Statement add_, forget_, forget_old_;
  uint64_t pruned_ = 0;  // in this hour
};

}  // namespace wirelay::ctrl
