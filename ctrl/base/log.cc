// One log for the process: lines are made here, and written by a thread of their own.
#include "ctrl/base/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>

#include <unistd.h>

#include "ctrl/base/log_writer.h"

namespace wirelay::ctrl {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
constexpr std::chrono::milliseconds kFinish(100);

std::atomic<LogLevel> least{LogLevel::kInfo};  // any thread

/// "2026-01-31T12:00:00.123+01:00 ".
std::string time_text() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm t{};
  localtime_r(&now.tv_sec, &t);
  const long minutes = std::labs(t.tm_gmtoff) / 60;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{}{:02}:{:02} ", t.tm_year + 1900,
                     t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                     now.tv_nsec / 1'000'000, t.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                     minutes % 60);
}

std::string make_line(LogLevel level, fmt::string_view format, fmt::format_args args) {
  // The journal stamps lines itself.
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = journal ? "" : time_text();
  line += kNames[static_cast<size_t>(level)];
  line += ": ";
  line += fmt::vformat(format, args);
  line += '\n';
  return line;
}

std::string lost_line(uint64_t lost) {
  return make_line(LogLevel::kWarning,
                   "{} lines are missing here: whoever reads this log did not keep up",
                   fmt::make_format_args(lost));
}

/// Never destroyed: threads may log until the process is gone.
LogWriter& writer() {
  static LogWriter* const writer = [] {
    auto* made = new LogWriter(STDERR_FILENO, lost_line);
    std::atexit(finish_log);
    return made;
  }();
  return *writer;
}

/// What nobody catches is told where all else is told, and not to a reader that sleeps.
[[noreturn]] void on_terminate() {
  std::set_terminate(std::abort);
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    log_error("ended by an error that nothing handles: {}", error.what());
  } catch (...) {
    log_error("ended by an error that nothing handles");
  }
  finish_log();
  std::abort();
}

}  // namespace

void start_log() {
  writer();
  std::set_terminate(on_terminate);
}

void set_log_level(LogLevel level) noexcept { least.store(level, std::memory_order_relaxed); }

LogLevel log_level() noexcept { return least.load(std::memory_order_relaxed); }

bool set_log_level(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name != kNames[i]) continue;
    set_log_level(static_cast<LogLevel>(i));
    return true;
  }
  return false;
}

void log_event(LogLevel level, fmt::string_view format, fmt::format_args args) {
  if (level < log_level()) return;
  writer().add(make_line(level, format, args));
}

void finish_log() noexcept { writer().finish(kFinish); }

}  // namespace wirelay::ctrl
