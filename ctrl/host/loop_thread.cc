// Start, priority and end.
#include "ctrl/host/loop_thread.h"

#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

constexpr int kLoopNice = 10;

/// What comes out of the loop ends the process: a relay that nobody can ask must not look alive.
void run(EventLoop& loop, const char* name) noexcept {
  become_side_thread(name, kLoopNice);
  loop.run();
}

}  // namespace

LoopThread::LoopThread(EventLoop& loop, const char* name)
    : loop_(loop), thread_([&loop, name] { run(loop, name); }) {}

LoopThread::~LoopThread() {
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

}  // namespace wirelay::ctrl
