// Reading on a thread, and who waits for it.
#include "ctrl/config/reloader.h"

#include <utility>

#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Of the reading thread.
constexpr int kNice = 10;

}  // namespace

void Reloader::ask(const ReloadOptions& options, Done done) {
  if (asked_.size() > 1 && asked_.back().options == options) {
    asked_.back().done.push_back(std::move(done));
    return;
  }
  asked_.push_back({options, {std::move(done)}});
  if (asked_.size() == 1) begin();
}

void Reloader::begin() {
  try {
    reading_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
  } catch (const std::exception&) {  // no thread is to be had now
    loop_.post([this, error = std::current_exception()] { finish({error, {}, {}, {}}); });
  }
}

void Reloader::read(const std::stop_token& stop) {
  become_side_thread("reload", kNice);
  try {
    auto loaded = std::make_shared<LoadedConfig>(LoadedConfig{load_config(file_, stop), {}});
    loaded->identity = crypto::derive_public_key(read_private_key(loaded->config.private_key_file));
    loop_.post([this, loaded = std::move(loaded)] {
      apply_(loaded, asked_.front().options,
             [this](const ReloadOutcome& outcome) { finish(outcome); });
    });
  } catch (...) {
    loop_.post([this, error = std::current_exception()] { finish({error, {}, {}, {}}); });
  }
}

void Reloader::finish(const ReloadOutcome& outcome) {
  const Asked asked = std::move(asked_.front());
  asked_.pop_front();
  if (!asked_.empty()) begin();
  for (const Done& done : asked.done) done(outcome);
}

}  // namespace wirelay::ctrl
