// The last events, kept in memory for whoever asks, and who reads on as they come. Nothing is
// queued for a reader: it has a place in what is kept, and what falls out of it unread it has lost.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ctrl/events/outbox.h"

namespace wirelay::ctrl::events {

inline constexpr size_t kDefaultKept = 10'000, kLeastKept = 100, kMostKept = 1'000'000;

/// Connections that read events as they come, at most.
inline constexpr size_t kMostReaders = 64;

/// Which events somebody wants. That some were lost everybody is told.
struct Filter {
  std::optional<std::string> user;
  std::bitset<kKinds.size()> kinds;  // none: all

  [[nodiscard]] bool wants(const Event& event) const;
};

/// On the API's thread.
class Log {
 public:
  explicit Log(size_t kept = kDefaultKept) : kept_(kept) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void take(const Batch& batch);
  /// What an earlier run has kept, in order; before anything else.
  void begin_with(std::vector<Event> events);
  /// From now on as many are kept.
  void keep(size_t most);

  /// The first `limit` of those kept that `filter` wants and whose numbers are greater than
  /// `since`.
  [[nodiscard]] std::vector<EventRef> after(uint64_t since, const Filter& filter,
                                            size_t limit) const;
  /// Of the newest; 0 when there was none.
  [[nodiscard]] uint64_t newest() const noexcept { return newest_; }
  [[nodiscard]] size_t size() const noexcept { return events_.size(); }
  [[nodiscard]] size_t readers() const noexcept { return readers_.size(); }

 private:
  friend class Reader;
  void add(EventRef event);
  void drop_oldest();
  [[nodiscard]] size_t first_after(uint64_t number) const;

  size_t kept_;
  std::deque<EventRef> events_;  // by number
  // Numbers; 0: there was none. The first is of this run.
  uint64_t first_ = 0, newest_ = 0;
  std::vector<class Reader*> readers_;
};

/// On the API's thread, and gone before its log.
class Reader {
 public:
  /// Reads what `filter` wants and is newer than `since`; nullopt: what comes from now on. `wake`
  /// is called when there is more.
  Reader(Log& log, Filter filter, std::optional<uint64_t> since, std::function<void()> wake);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// The next event; null when there is none now. Where some were lost that it wanted, a kLost
  /// stands in their place.
  EventRef next();
  /// next() may have something.
  [[nodiscard]] bool behind() const noexcept { return lost_ != 0 || seen_ < log_.newest(); }
  /// Of the last event that it has been given, or passed over.
  [[nodiscard]] uint64_t seen() const noexcept { return seen_; }

 private:
  friend class Log;
  void lose(const Event& event);

  Log& log_;
  const Filter filter_;
  const std::function<void()> wake_;
  uint64_t seen_;
  uint64_t lost_ = 0;
};

}  // namespace wirelay::ctrl::events
