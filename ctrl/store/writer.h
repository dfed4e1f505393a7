// The store's thread: it alone waits for the disk. Internal to ctrl/store.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace wirelay::ctrl {

class StoreWriter {
 public:
  using Work = std::function<void()>;

  /// Begins the thread. Throws std::system_error when there is none to be had.
  StoreWriter();
  /// What was posted is done first, if it can be: it is tried once more.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  /// Has it done, before what was posted, and returns then. Throws what `work` throws. Not for the
  /// control thread.
  void run(const Work& work);
  /// Has it done in turn: any thread, returns at once. Work that throws StoreError is done again
  /// each second until it does not, and those behind it wait.
  void post(Work work);
  /// Has a question looked into between others' work, whether what was posted can be done or not.
  /// `work` must not throw.
  void ask(Work work);

 private:
  struct Awaited {
    const Work& work;
    std::exception_ptr error = nullptr;
    bool done = false;
  };
  void serve(const std::stop_token& stop);
  void run_awaited(Awaited& awaited);
  /// False: not now.
  bool run_posted(const Work& work);

  std::mutex mutex_;  // for what follows
  std::condition_variable_any changed_;
  std::deque<Awaited*> awaited_;
  std::deque<Work> posted_, asked_;
  std::optional<std::string> trouble_;  // what was last said; the store's thread
  std::jthread thread_;                 // last: it uses all of the above
};

}  // namespace wirelay::ctrl
