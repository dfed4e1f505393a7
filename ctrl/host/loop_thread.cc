// Start, priority and end.
#include "ctrl/host/loop_thread.h"

#include <exception>

#include <pthread.h>
#include <sys/resource.h>

#include "ctrl/base/log.h"

namespace wirelay::ctrl {

namespace {

constexpr int kNice = 10;

void run(EventLoop& loop, const char* name) {
  pthread_setname_np(pthread_self(), name);
  setpriority(PRIO_PROCESS, 0, kNice);  // of this thread alone, as Linux has it
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
