// Windows of time for each kind of line.
#include "ctrl/base/log_limiter.h"

#include <chrono>

namespace wirelay::ctrl {

namespace {

uint64_t clock_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace

LogLimiter::Entry& LogLimiter::entry(std::string_view key) {
  if (const auto it = entries_.find(key); it != entries_.end()) return it->second;
  return entries_[entries_.size() < kMaxKeys ? std::string(key) : std::string("other")];
}

void LogLimiter::sum_up(const Entry& entry, uint64_t now_ns) {
  if (entry.repeated == 0) return;
  print_(entry.level, fmt::format("{} more in {} s like: {}", entry.repeated,
                                  (now_ns - entry.start_ns) / 1'000'000'000, entry.text));
}

void LogLimiter::note(LogLevel level, std::string_view key, uint64_t now_ns, const Text& text) {
  const std::lock_guard lock(mutex_);
  Entry& e = entry(key);
  if (e.open && now_ns - e.start_ns < kWindowNs) {
    ++e.repeated;
    return;
  }
  sum_up(e, now_ns);
  e = Entry{now_ns, 0, level, text(), true};
  print_(level, e.text);
}

void LogLimiter::flush(uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& e = item.second;
    if (now_ns - e.start_ns < kWindowNs) return false;
    sum_up(e, now_ns);
    return true;
  });
}

void LogLimiter::finish(uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, entry] : entries_) sum_up(entry, now_ns);
  entries_.clear();
}

LogLimiter& log_limiter() {
  static LogLimiter limiter([](LogLevel level, const std::string& text) {
    log_event(level, "{}", fmt::make_format_args(text));
  });
  return limiter;
}

void log_limited_event(LogLevel level, std::string_view key, fmt::string_view format,
                       fmt::format_args args) {
  if (level < log_level()) return;
  log_limiter().note(level, key, clock_ns(), [&] { return fmt::vformat(format, args); });
}

}  // namespace wirelay::ctrl
