// A thread that copies.
#include "ctrl/store/backup.h"

#include "ctrl/host/side_thread.h"
#include "ctrl/store/schema.h"

namespace wirelay::ctrl {

namespace {

constexpr int kBackupNice = 10;

}  // namespace

Backup::~Backup() {
  std::unique_lock lock(mutex_);
  ending_ = true;
  if (database_ != nullptr) database_->interrupt();
  lock.unlock();
  if (thread_.joinable()) thread_.join();
}

void Backup::begin(const std::string& file, const Done& done) {
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    try {
      if (running_ || ending_) throw StoreError("a copy of the store is being made already");
      if (thread_.joinable()) thread_.join();  // it has nothing left to do but to end
      thread_ = std::thread([this, file, done] {
        become_side_thread("backup", kBackupNice);
        std::exception_ptr failed;
        try {
          copy(file);
        } catch (...) {
          failed = std::current_exception();
        }
        {
          const std::lock_guard again(mutex_);
          running_ = false;
        }
        done(failed);
      });
      running_ = true;
      return;
    } catch (...) {
      error = std::current_exception();
    }
  }
  done(error);
}

void Backup::copy(const std::string& file) {
  const Database database(store_, Database::Access::kRead);
  {
    const std::lock_guard lock(mutex_);
    if (ending_) throw StoreError("the relay ends");
    database_ = &database;
  }
  const auto forget = [this](const Database*) {
    const std::lock_guard lock(mutex_);
    database_ = nullptr;
  };
  const std::unique_ptr<const Database, decltype(forget)> forgotten(&database, forget);
  copy_to(database, file);
}

}  // namespace wirelay::ctrl
