// A queue, a thread, and the way to the control thread and back.
#include "ctrl/users/door.h"

#include <utility>

#include "ctrl/base/log.h"
#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Of the door's thread, which may share a core with a worker or the control thread.
constexpr int kDoorNice = 10;

/// The file's are told of when it is read.
void log_warnings(const ChangeRequest& request, const ChangeOutcome& outcome) {
  if (request.origin == Origin::kFile) return;
  for (const Problem& warning : outcome.warnings) {
    log_warning("{}: {}: {}", request.what, warning.path, warning.message);
  }
}

}  // namespace

Door::Door(Registry& registry, ChangeObserver& observer, EventLoop& loop, Agenda& agenda,
           Journal* journal)
    : registry_(registry),
      observer_(observer),
      loop_(loop),
      agenda_(agenda),
      journal_(journal),
      thread_([this](const std::stop_token& stop) { serve(stop); }) {}

Door::~Door() = default;

void Door::submit(ChangeRequest request, Done done) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({std::move(request), std::move(done)});
  changed_.notify_all();
}

void Door::serve(const std::stop_token& stop) {
  become_side_thread("door", kDoorNice);
  for (;;) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
    const Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    ChangeOutcome outcome = pass(
        registry_, observer_, journal_, entry.request,
        [&](Telling& telling) { return tell(telling, stop); }, stop);
    if (stop.stop_requested()) return;
    log_warnings(entry.request, outcome);
    entry.done(std::move(outcome));
  }
}

bool Door::tell(Telling& telling, const std::stop_token& stop) {
  {
    const std::lock_guard lock(mutex_);
    told_ = false;
  }
  // When the loop has ended neither function is called any more, so neither outlives `telling`.
  loop_.post([this, &telling] {
    agenda_.add([this, &telling](const Slice& slice) {
      if (!telling.run(slice)) return false;
      const std::lock_guard lock(mutex_);
      told_ = true;
      changed_.notify_all();
      return true;
    });
  });
  std::unique_lock lock(mutex_);
  return changed_.wait(lock, stop, [this] { return told_; });
}

}  // namespace wirelay::ctrl
