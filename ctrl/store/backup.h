// Copies of the store while the relay runs: on a thread of its own, there only while it copies,
// with a connection that only reads. The relay goes on writing meanwhile; the copy is what the
// store held when it began.
#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "ctrl/store/database.h"

namespace wirelay::ctrl {

class Backup {
 public:
  explicit Backup(std::string store) : store_(std::move(store)) {}
  /// Gives up what is under way; its `done` is called.
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  /// Any thread. Begins a copy to `file`, which must not be there; `done` is called on the copying
  /// thread, or at once when another copy is under way or no thread is to be had.
  using Done = std::function<void(std::exception_ptr error)>;
  void begin(const std::string& file, const Done& done);

 private:
  void copy(const std::string& file);

  const std::string store_;
  std::mutex mutex_;  // for what follows
  bool running_ = false, ending_ = false;
  const Database* database_ = nullptr;  // that is copied
  std::thread thread_;
};

}  // namespace wirelay::ctrl
