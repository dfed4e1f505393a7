// Start, priority and end.
#include "ctrl/host/loop_thread.h"

#include <exception>

#include "ctrl/base/log.h"
#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

constexpr int kNice = 10;

void run(EventLoop& loop, const char* name) {
  become_side_thread(name, kNice);
  try {
    loop.run();
  } catch (const std::exception& error) {
    log_error("the thread \"{}\" has ended: {}", name, error.what());
  }
}

}  // namespace

LoopThread::LoopThread(EventLoop& loop, const char* name)
    : loop_(loop), thread_([&loop, name] { run(loop, name); }) {}

LoopThread::~LoopThread() {
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

}  // namespace wirelay::ctrl
