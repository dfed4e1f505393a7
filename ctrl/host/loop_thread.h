// A thread that runs an event loop beside the control thread.
#pragma once

#include <thread>

#include "ctrl/host/event_loop.h"

namespace wirelay::ctrl {

class LoopThread {
 public:
  /// Runs `loop`, which outlives it, on a thread called `name` (at most 15 bytes) that gives way to
  /// the control thread. Throws std::system_error when there is no thread to be had.
  LoopThread(EventLoop& loop, const char* name);
  /// Ends behind the turn that is under way.
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

 private:
  EventLoop& loop_;
  std::thread thread_;
};

}  // namespace wirelay::ctrl
