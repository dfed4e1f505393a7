// A queue, and a thread that has the kernel commit what is in it.
#include "dataplane/tables/commit_ahead.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <rte_lcore.h>

namespace wirelay::dataplane::detail {

namespace {

/// Of the thread, which may share the control thread's core.
constexpr int kNice = 10;

class Committer {
 public:
  /// On a core that no worker has, where there is one: DPDK's thread of control. Throws
  /// std::runtime_error when there is no thread to be had.
  Committer() {
    pthread_t thread;
    if (rte_ctrl_thread_create(&thread, "commit", nullptr, serve, this) != 0) {
      throw std::runtime_error("no thread for memory");
    }
    pthread_detach(thread);
  }

  void want(void* memory, size_t bytes) {
    const std::lock_guard lock(mutex_);
    wanted_.emplace_back(memory, bytes);
    changed_.notify_one();
  }

 private:
  static void* serve(void* self) {
    setpriority(PRIO_PROCESS, 0, kNice);  // of this thread alone, as Linux has it
    for (;;) static_cast<Committer*>(self)->commit_next();
  }

  void commit_next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !wanted_.empty(); });
    const auto [memory, bytes] = wanted_.front();
    wanted_.pop_front();
    lock.unlock();
    // Refused by kernels that don't know it, and for memory that was given back meanwhile.
    madvise(memory, bytes, MADV_POPULATE_WRITE);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<void*, size_t>> wanted_;
};

}  // namespace

void commit_soon(void* memory, size_t bytes) noexcept {
  try {
    static Committer& committer = *new Committer;  // for as long as its thread: without end
    committer.want(memory, bytes);
  } catch (const std::exception&) {  // no thread is to be had: it is committed when it is touched
  }
}

}  // namespace wirelay::dataplane::detail
