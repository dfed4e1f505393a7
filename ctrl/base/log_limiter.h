// Sums up log lines that others can cause as often as they like.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

/// The first event of a key is printed; what follows in the next kWindow is counted and told in one
/// line. Any thread.
class LogLimiter {
 public:
  using Print = std::function<void(LogLevel, const std::string&)>;
  using Text = std::function<std::string()>;
  static constexpr uint64_t kWindowNs = 10'000'000'000;
  static constexpr size_t kMaxKeys = 256;  // further keys share one entry

  explicit LogLimiter(Print print) : print_(std::move(print)) {}

  /// Prints text() when the event is the first of its key in a window, and counts it otherwise.
  /// `now_ns`: monotonic.
  void note(LogLevel level, std::string_view key, uint64_t now_ns, const Text& text);
  /// Prints the sums of the windows that have ended.
  void flush(uint64_t now_ns);
  /// Prints the sums of all windows: nothing follows.
  void finish(uint64_t now_ns);

 private:
  struct Entry {
    uint64_t start_ns = 0;
    uint64_t repeated = 0;  // since the line at the start
    LogLevel level = LogLevel::kInfo;
    std::string text;   // of the first
    bool open = false;  // a window has begun
  };
  Entry& entry(std::string_view key);
  void sum_up(const Entry& entry, uint64_t now_ns);
  const Print print_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The process's limiter, printing to the log.
LogLimiter& log_limiter();

void log_limited_event(LogLevel level, std::string_view key, fmt::string_view format,
                       fmt::format_args args);

/// log_limited(LogLevel::kWarning, "refused.full", "no session slot left for {}", name)
template <typename... Args>
void log_limited(LogLevel level, std::string_view key, fmt::format_string<Args...> format,
                 Args&&... args) {
  log_limited_event(level, key, format, fmt::make_format_args(args...));
}

}  // namespace wirelay::ctrl
