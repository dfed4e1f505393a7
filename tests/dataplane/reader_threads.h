// Threads that read tables while the test's own thread writes them, as workers do.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "dataplane/rcu.h"

namespace wirelay::test {

/// Runs `read(reader)` again and again on each of `readers` threads, a quiescent state after each
/// call, until stop().
class ReaderThreads {
 public:
  ReaderThreads(dataplane::Rcu& rcu, unsigned readers, std::function<void(unsigned)> read)
      : rounds_(readers) {
    for (unsigned id = 0; id < readers; ++id) {
      threads_.emplace_back([this, &rcu, read, id] {
        rcu.online(id);
        while (!stop_.load(std::memory_order_relaxed)) {
          read(id);
          rcu.quiescent(id);
          rounds_[id].fetch_add(1, std::memory_order_relaxed);
          std::this_thread::yield();  // where threads are more than processors
        }
        rcu.offline(id);
      });
    }
  }
  ~ReaderThreads() { stop(); }
  ReaderThreads(const ReaderThreads&) = delete;
  ReaderThreads& operator=(const ReaderThreads&) = delete;

  /// Waits until every reader has begun and ended a call, so that the writer does not do all its
  /// work while no reader is scheduled.
  void pace() const {
    for (const auto& rounds : rounds_) {
      const uint64_t before = rounds.load(std::memory_order_relaxed);
      while (rounds.load(std::memory_order_relaxed) < before + 2) std::this_thread::yield();
    }
  }

  void stop() {
    stop_ = true;
    for (std::thread& t : threads_) t.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::atomic<uint64_t>> rounds_;
  std::vector<std::thread> threads_;
};

}  // namespace wirelay::test
