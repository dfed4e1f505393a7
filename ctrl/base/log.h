// Log lines of the control side, one event a line, to standard error. Keys and other secrets are
// never among the arguments. Workers do not log. A call never waits for whoever reads the lines:
// they go through a bounded queue (ctrl/base/log_writer.h).
//
// Formats are checked at compile time; arguments are passed on without their types, so that a
// caller compiles to one call, and all formatting stands in log.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include <fmt/core.h>

namespace wirelay::ctrl {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

/// From now on lines go to where standard error leads now, and so does what an uncaught error says.
/// The first line does so, too, but later.
void start_log();

/// Lines below this level are not made. Any thread.
void set_log_level(LogLevel level) noexcept;
[[nodiscard]] LogLevel log_level() noexcept;
/// The names that the configuration accepts: "debug", "info", "warning", "error". Returns false for
/// any other, and changes nothing.
bool set_log_level(std::string_view name);

/// What the templates below come down to. Any thread.
void log_event(LogLevel level, fmt::string_view format, fmt::format_args args);

/// log_info("port {} is up", name). Any thread.
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_event(LogLevel::kDebug, format, fmt::make_format_args(args...));
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_event(LogLevel::kInfo, format, fmt::make_format_args(args...));
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log_event(LogLevel::kWarning, format, fmt::make_format_args(args...));
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_event(LogLevel::kError, format, fmt::make_format_args(args...));
}

/// Writes what waits, for a tenth of a second at most, and ends the log: what follows is lost. The
/// end of the process does it by itself.
void finish_log() noexcept;

}  // namespace wirelay::ctrl
