// The control thread's event loop: libevent with owned handles and functions for callbacks.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include <event2/event.h>

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
  /// of zero lets sockets be served in between.
  void repeat(std::function<std::chrono::milliseconds()> act);

  /// Until stop(). An exception out of a callback ends the loop and comes out here.
  void run();
  void stop() noexcept { event_base_loopbreak(base_); }

 private:
  struct Handler {
    EventLoop* loop;
    event* handle;
    std::function<std::chrono::milliseconds()> act;
    bool repeats;
  };
  static void on_event(evutil_socket_t, short, void* handler);
  Handler& add(int fd, short what, std::function<std::chrono::milliseconds()> act, bool repeats);

  event_base* base_;
  std::vector<std::unique_ptr<Handler>> handlers_;
  std::exception_ptr error_;  // C code must not be unwound
};

}  // namespace wirelay::ctrl
