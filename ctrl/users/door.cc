// A queue, a thread, and the way to the control thread and back.
#include "ctrl/users/door.h"

#include <utility>

#include "ctrl/base/log.h"
#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Of the door's thread, which may share a core with a worker or the control thread.
constexpr int kDoorNice = 10;

/// Kept together are so many requests, and so many steps of them: nobody's answer waits for more
/// of others' than that, behind a long request of its own.
constexpr size_t kMostAtOnce = 256, kMostStepsAtOnce = 4096;

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
    const std::vector<Entry> entries = take(stop);
    if (entries.empty()) return;
    std::vector<const ChangeRequest*> requests;
    for (const Entry& entry : entries) requests.push_back(&entry.request);
    std::vector<ChangeOutcome> outcomes = pass(
        registry_, observer_, journal_, requests,
        [&](Telling& telling) { return tell(telling, stop); }, stop);
    if (stop.stop_requested()) return;
    for (size_t i = 0; i < entries.size(); ++i) {
      log_warnings(entries[i].request, outcomes[i]);
      entries[i].done(std::move(outcomes[i]));
    }
  }
}

std::vector<Door::Entry> Door::take(const std::stop_token& stop) {
  std::vector<Entry> taken;
  std::unique_lock lock(mutex_);
  if (!changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) return taken;
  size_t steps = 0;
  do {
    steps += waiting_.front().request.steps.size();
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  } while (!waiting_.empty() && may_follow(taken.front().request) &&
           may_follow(waiting_.front().request) && taken.size() < kMostAtOnce &&
           steps + waiting_.front().request.steps.size() <= kMostStepsAtOnce);
  return taken;
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
