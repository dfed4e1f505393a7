// A thread's event loop: libevent with owned handles and functions for callbacks, and a door for
// other threads.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <event2/event.h>

#include "ctrl/host/turn_meter.h"

namespace wirelay::ctrl {

class EventLoop {
 public:
  /// Throws std::runtime_error.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  [[nodiscard]] event_base* base() const noexcept { return base_; }

  void on_signal(int signal, std::function<void()> act);
  /// Calls `act` soon after run() begins, then each time after the delay that it returned; a delay
  /// of zero lets sockets be served in between. What it does for long it marks in meter().
  void repeat(std::function<std::chrono::milliseconds()> act);

  /// Any thread: has `act` called on the loop's thread, soon and in the order of the calls, and
  /// then what repeats without its delay: there may be work for it. kPostsAtOnce of them are called
  /// in a turn, the rest in the next ones. What is posted after the loop has ended for good is
  /// destroyed with it, uncalled.
  void post(std::function<void()> act);
  static constexpr size_t kPostsAtOnce = 32;

  /// Until stop(). An exception out of a callback ends the loop and comes out here.
  void run();
  void stop() noexcept;

  /// Of the turns of run(): one is all callbacks of one look at what there is to do.
  [[nodiscard]] TurnMeter& meter() noexcept { return meter_; }
  [[nodiscard]] const TurnMeter& meter() const noexcept { return meter_; }

 private:
  struct Handler {
    EventLoop* loop;
    event* handle;
    std::function<std::chrono::milliseconds()> act;
    bool repeats;
  };
  static void on_event(evutil_socket_t, short, void* handler);
  void run_posted();
  void release() noexcept;
  Handler& add(int fd, short what, std::function<std::chrono::milliseconds()> act, bool repeats);

  event_base* base_;
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::exception_ptr error_;  // C code must not be unwound
  int wake_;                  // an eventfd, readable while something was posted
  std::mutex mutex_;          // for posted_
  std::deque<std::function<void()>> posted_;
  TurnMeter meter_;
  bool stopped_ = false;
};

}  // namespace wirelay::ctrl
