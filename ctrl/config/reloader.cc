// Reading on a thread, and who waits for it.
#include "ctrl/config/reloader.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Of the reading thread.
constexpr int kReloadNice = 10;
/// What the end of the relay waits for a thread that reads.
constexpr std::chrono::milliseconds kPatience(50);

}  // namespace

/// Between the reloader and the thread that reads, whichever goes first.
struct Reloader::Reading {
  explicit Reading(Reloader& reader) : reloader(&reader) {}

  std::stop_source stop;
  std::mutex mutex;  // for the rest
  std::condition_variable changed;
  Reloader* reloader;  // null when it has gone
  bool ended = false;
};

Reloader::~Reloader() {
  if (!thread_.joinable()) return;
  reading_->stop.request_stop();
  std::unique_lock lock(reading_->mutex);
  reading_->reloader = nullptr;
  const bool ended =
      reading_->changed.wait_for(lock, kPatience, [this] { return reading_->ended; });
  lock.unlock();
  ended ? thread_.join() : thread_.detach();
}

void Reloader::ask(const ReloadOptions& options, Done done) {
  if (asked_.size() > 1 && asked_.back().options == options) {
    asked_.back().done.push_back(std::move(done));
    return;
  }
  asked_.push_back({options, {std::move(done)}});
  if (asked_.size() == 1) begin();
}

void Reloader::begin() {
  if (thread_.joinable()) thread_.join();  // it had nothing left to do but to end
  try {
    reading_ = std::make_shared<Reading>(*this);
    thread_ = std::thread(
        [reading = reading_, file = file_, load = load_] { read(reading, file, load); });
  } catch (const std::exception&) {  // no thread is to be had now
    loop_.post([this, error = std::current_exception()] { finish({error, {}, {}, {}}); });
  }
}

void Reloader::read(const std::shared_ptr<Reading>& reading, const std::string& file,
                    const Load& load) {
  become_side_thread("reload", kReloadNice);
  std::function<void(Reloader&)> then;
  try {
    auto loaded =
        std::make_shared<LoadedConfig>(LoadedConfig{load(file, reading->stop.get_token()), {}});
    loaded->identity = crypto::derive_public_key(read_private_key(loaded->config.private_key_file));
    then = [loaded = std::move(loaded)](Reloader& self) {
      self.apply_(loaded, self.asked_.front().options,
                  [&self](const ReloadOutcome& outcome) { self.finish(outcome); });
    };
  } catch (...) {
    then = [error = std::current_exception()](Reloader& self) { self.finish({error, {}, {}, {}}); };
  }
  const std::lock_guard lock(reading->mutex);
  if (Reloader* self = reading->reloader) {
    self->loop_.post([self, then = std::move(then)] { then(*self); });
  }
  reading->ended = true;
  reading->changed.notify_all();
}

void Reloader::finish(const ReloadOutcome& outcome) {
  const Asked asked = std::move(asked_.front());
  asked_.pop_front();
  if (!asked_.empty()) begin();
  for (const Done& done : asked.done) done(outcome);
}

}  // namespace wirelay::ctrl
