// A queue, and a thread that has the kernel commit what is in it.
#include "dataplane/tables/commit_ahead.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <pthread.h>
#include <sys/mman.h>

namespace wirelay::dataplane::detail {

namespace {

class Committer {
 public:
  Committer() { pthread_setname_np(thread_.native_handle(), "commit"); }

  void want(void* memory, size_t bytes) {
    const std::lock_guard lock(mutex_);
    wanted_.emplace_back(memory, bytes);
    changed_.notify_one();
  }

 private:
  void serve(const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return !wanted_.empty(); })) return;
      const auto [memory, bytes] = wanted_.front();
      wanted_.pop_front();
      lock.unlock();
      // Refused by kernels that don't know it, and for memory that was given back meanwhile.
      madvise(memory, bytes, MADV_POPULATE_WRITE);
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::pair<void*, size_t>> wanted_;
  std::jthread thread_{[this](const std::stop_token& stop) { serve(stop); }};  // last
};

}  // namespace

void commit_soon(void* memory, size_t bytes) noexcept {
  try {
    static Committer committer;
    committer.want(memory, bytes);
  } catch (const std::exception&) {  // no thread is to be had: it is committed when it is touched
  }
}

}  // namespace wirelay::dataplane::detail
