// Lines on their way to a descriptor that may not take them: a pipe whose reader sleeps, a terminal
// that is stopped. A bounded queue, and a thread that waits in everybody's place.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace wirelay::ctrl {

class LogWriter {
 public:
  static constexpr size_t kMostBytes = size_t{1} << 20;  // that wait; what comes then is lost
  /// The line that tells of so many lost ones.
  using LostText = std::function<std::string(uint64_t)>;

  /// Writes to where `fd` leads now: it may be redirected later. Throws std::runtime_error when no
  /// descriptor or thread can be had.
  LogWriter(int fd, LostText lost_text);
  /// Waits for its thread: call finish() first.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Takes a line with its end. When there is no room it is lost, and a line behind those that wait
  /// tells how many were. Any thread; never waits for the reader.
  void add(std::string_view line) noexcept;

  /// Writes what waits, for so long at most, and ends the thread; what follows is lost. Any thread,
  /// as often as one likes.
  void finish(std::chrono::milliseconds most) noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  void run() noexcept;
  /// The next batch, when the last one is written. Returns whether there is anything to write.
  bool take();
  [[nodiscard]] bool at_end(bool more);
  /// Until there is something new, or room for `more`; returns whether there is room.
  bool wait(bool more);
  void write_some();
  void wake() const noexcept;

  int out_ = -1, wake_ = -1;  // wake_: an eventfd
  bool socket_ = false;       // out_ is one
  const LostText lost_text_;
  std::mutex mutex_;  // of the four that follow; nothing is allocated while it is held
  std::string waiting_;
  uint64_t lost_ = 0;  // lines behind waiting_
  bool ending_ = false, ended_ = false;
  Clock::time_point deadline_;  // once ending_
  std::condition_variable end_;
  std::string batch_;  // the thread's own, as is written_
  size_t written_ = 0;
  std::thread thread_;
};

}  // namespace wirelay::ctrl
