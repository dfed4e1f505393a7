// Queues and a thread.
#include "ctrl/store/writer.h"

#include <chrono>
#include <utility>

#include "ctrl/base/log.h"
#include "ctrl/host/side_thread.h"
#include "ctrl/store/database.h"

namespace wirelay::ctrl {

namespace {

constexpr std::chrono::seconds kRetry(1);
/// The thread may share a core with a worker or the control thread.
constexpr int kStoreNice = 5;

}  // namespace

StoreWriter::StoreWriter() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}

StoreWriter::~StoreWriter() = default;

void StoreWriter::run(const Work& work) {
  Awaited awaited{work};
  std::unique_lock lock(mutex_);
  awaited_.push_back(&awaited);
  changed_.notify_all();
  changed_.wait(lock, [&] { return awaited.done; });
  if (awaited.error) std::rethrow_exception(awaited.error);
}

void StoreWriter::post(Work work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
  changed_.notify_all();
}

void StoreWriter::ask(Work work) {
  const std::lock_guard lock(mutex_);
  asked_.push_back(std::move(work));
  changed_.notify_all();
}

void StoreWriter::serve(const std::stop_token& stop) {
  become_side_thread("store", kStoreNice);
  using Clock = std::chrono::steady_clock;
  Clock::time_point retry = Clock::now();
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto urgent = [&] { return !awaited_.empty() || !asked_.empty(); };
    const auto something = [&] { return urgent() || !posted_.empty(); };
    changed_.wait(lock, stop, something);
    if (!something()) return;  // to the end
    if (!awaited_.empty()) {
      Awaited& awaited = *awaited_.front();
      awaited_.pop_front();
      lock.unlock();
      run_awaited(awaited);
      lock.lock();
    }
    if (!asked_.empty()) {
      const Work work = std::move(asked_.front());
      asked_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
    if (posted_.empty()) continue;
    if (Clock::now() < retry && !stop.stop_requested()) {
      changed_.wait_until(lock, stop, retry, urgent);
      continue;
    }
    const Work work = std::move(posted_.front());
    posted_.pop_front();
    lock.unlock();
    const bool done = run_posted(work);
    lock.lock();
    if (done || stop.stop_requested()) continue;
    posted_.push_front(work);
    retry = Clock::now() + kRetry;
  }
}

void StoreWriter::run_awaited(Awaited& awaited) {
  std::exception_ptr error;
  try {
    awaited.work();
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  awaited.error = error;
  awaited.done = true;
  changed_.notify_all();
}

bool StoreWriter::run_posted(const Work& work) {
  try {
    work();
    if (trouble_) log_info("the store can be written again");
    trouble_.reset();
    return true;
  } catch (const StoreError& error) {
    if (trouble_ != error.what()) {
      log_error("usage and events are not stored, and wait in memory until they can be: {}",
                error.what());
    }
    trouble_ = error.what();
    return false;
  }
}

}  // namespace wirelay::ctrl
