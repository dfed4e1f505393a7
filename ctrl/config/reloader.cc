// Reading on a thread, applying in poll().
#include "ctrl/config/reloader.h"

#include <chrono>
#include <utility>

#include <sys/resource.h>

namespace wirelay::ctrl {

namespace {

/// Of the reading thread, which shares the control thread's core.
constexpr int kNice = 10;

}  // namespace

std::shared_ptr<const Reload> Reloader::ask() {
  if (!running_) {
    running_ = std::make_shared<Reload>();
    begin();
    return running_;
  }
  if (!next_) next_ = std::make_shared<Reload>();
  return next_;
}

void Reloader::poll() {
  if (!running_ || loaded_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  finish();
  running_ = std::exchange(next_, nullptr);
  if (running_) begin();
}

void Reloader::begin() { loaded_ = std::async(std::launch::async, &Reloader::load, file_); }

Reloader::Loaded Reloader::load(const std::string& file) {
  setpriority(PRIO_PROCESS, 0, kNice);  // of this thread alone, as Linux has it
  Loaded loaded{load_config(file), {}};
  loaded.identity = crypto::derive_public_key(read_private_key(loaded.config.private_key_file));
  return loaded;
}

void Reloader::finish() {
  try {
    const Loaded loaded = loaded_.get();
    running_->result = apply_(loaded.config, loaded.identity);
  } catch (...) {
    running_->error = std::current_exception();
  }
}

}  // namespace wirelay::ctrl
