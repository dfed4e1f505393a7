// One logger for the process, to standard error; and the sums of what repeats.
#include "ctrl/base/log.h"

#include <chrono>
#include <cstdlib>

#include <spdlog/sinks/stdout_sinks.h>

namespace wirelay::ctrl {

namespace {

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("wirelay",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  // The journal stamps lines itself.
  const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(journal ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  return logger;
}

}  // namespace

spdlog::logger& log() {
  static const std::shared_ptr<spdlog::logger> logger = make_logger();
  return *logger;
}

bool set_log_level(std::string_view name) {
  for (const auto& [known, level] :
       {std::pair{"debug", spdlog::level::debug}, std::pair{"info", spdlog::level::info},
        std::pair{"warning", spdlog::level::warn}, std::pair{"error", spdlog::level::err}}) {
    if (name != known) continue;
    log().set_level(level);
    return true;
  }
  return false;
}

LogLimiter::Entry& LogLimiter::entry(std::string_view key) {
  if (const auto it = entries_.find(key); it != entries_.end()) return it->second;
  return entries_[entries_.size() < kMaxKeys ? std::string(key) : std::string("other")];
}

void LogLimiter::sum_up(const Entry& entry, uint64_t now_ns) {
  if (entry.repeated == 0) return;
  print_(entry.level, fmt::format("{} more in {} s like: {}", entry.repeated,
                                  (now_ns - entry.start_ns) / 1'000'000'000, entry.text));
}

void LogLimiter::flush(uint64_t now_ns) {
  std::erase_if(entries_, [&](const auto& item) {
    const Entry& e = item.second;
    if (now_ns - e.start_ns < kWindowNs) return false;
    sum_up(e, now_ns);
    return true;
  });
}

void LogLimiter::finish(uint64_t now_ns) {
  for (const auto& [key, entry] : entries_) sum_up(entry, now_ns);
  entries_.clear();
}

LogLimiter& log_limiter() {
  static LogLimiter limiter(
      [](spdlog::level::level_enum level, const std::string& text) { log().log(level, text); });
  return limiter;
}

uint64_t log_clock_ns() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                   std::chrono::steady_clock::now().time_since_epoch())
                                   .count());
}

}  // namespace wirelay::ctrl
