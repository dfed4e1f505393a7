// Log lines of the control side: spdlog to standard error, one event a line. Keys and other secrets
// are never among the arguments. Workers do not log.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

namespace wirelay::ctrl {

/// The names that the configuration accepts: "debug", "info", "warning", "error".
/// Returns false for any other, and changes nothing.
bool set_log_level(std::string_view name);

/// The logger: log().info("port {} is up", name). Any thread.
spdlog::logger& log();

/// Sums up events that others can cause as often as they like: the first of a key is printed, what
/// follows in the next kWindow is counted and told in one line. Control thread only.
class LogLimiter {
 public:
  using Print = std::function<void(spdlog::level::level_enum, const std::string&)>;
  static constexpr uint64_t kWindowNs = 10'000'000'000;
  static constexpr size_t kMaxKeys = 256;  // further keys share one entry

  explicit LogLimiter(Print print) : print_(std::move(print)) {}

  /// Prints text() when the event is the first of its key in a window, and counts it otherwise.
  /// `now_ns`: monotonic.
  template <typename Text>
  void note(spdlog::level::level_enum level, std::string_view key, uint64_t now_ns, Text&& text) {
    Entry& e = entry(key);
    if (e.open && now_ns - e.start_ns < kWindowNs) {
      ++e.repeated;
      return;
    }
    sum_up(e, now_ns);
    e = Entry{now_ns, 0, level, text(), true};
    print_(level, e.text);
  }
  /// Prints the sums of the windows that have ended.
  void flush(uint64_t now_ns);
  /// Prints the sums of all windows: nothing follows.
  void finish(uint64_t now_ns);

 private:
  struct Entry {
    uint64_t start_ns = 0;
    uint64_t repeated = 0;  // since the line at the start
    spdlog::level::level_enum level = spdlog::level::info;
    std::string text;   // of the first
    bool open = false;  // a window has begun
  };
  Entry& entry(std::string_view key);
  void sum_up(const Entry& entry, uint64_t now_ns);
  Print print_;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// The process's limiter, printing through log().
LogLimiter& log_limiter();
uint64_t log_clock_ns();

/// log_limited(spdlog::level::warn, "refused.full", "no session slot left for {}", name)
template <typename... Args>
void log_limited(spdlog::level::level_enum level, std::string_view key,
                 spdlog::format_string_t<Args...> format, Args&&... args) {
  if (!log().should_log(level)) return;
  log_limiter().note(level, key, log_clock_ns(),
                     [&] { return fmt::format(format, std::forward<Args>(args)...); });
}

}  // namespace wirelay::ctrl
