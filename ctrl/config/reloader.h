// Reloads: the file is read and checked on a thread of its own, compared and entered through the
// door. 100,000 users take a second to read; nobody waits for it but who asked.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "ctrl/config/config.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/users/change.h"

namespace wirelay::ctrl {

struct ReloadOptions {
  bool dry_run = false;                         // only tells what would change
  bool force = false;                           // however much it removes
  std::optional<Caller> caller = std::nullopt;  // who asks, by the API
  bool operator==(const ReloadOptions&) const = default;
};

struct ReloadOutcome {
  std::exception_ptr error = nullptr;  // Refused, or what stood in the way: nothing was changed
  ChangeCounts counts = {};
  std::vector<std::string> difference = {};     // of a dry run, a line for each change
  std::vector<std::string> needs_restart = {};  // parts that changed but stay as they were
  std::vector<std::string> warnings = {};       // what the file says and probably doesn't mean
};

/// What a reload has read.
struct LoadedConfig {
  Config config;
  crypto::PublicKey identity;  // of the private key that it names
};

/// One reload at a time, in the order of asking. Control thread only.
class Reloader {
 public:
  using Done = std::function<void(const ReloadOutcome& outcome)>;
  /// Makes what was read what the relay does, and calls `done` on the control thread. `loaded` is
  /// its own; freeing 100,000 users takes long, and is not for the control thread.
  using Apply = std::function<void(std::shared_ptr<LoadedConfig> loaded,
                                   const ReloadOptions& options, Done done)>;

  /// Reads the file on the reloader's thread: load_config(), but in tests.
  using Load = std::function<Config(const std::string& file, const std::stop_token& stop)>;

  /// `loop`: the control thread's; it has ended when the reloader goes.
  Reloader(std::string file, EventLoop& loop, Apply apply, Load load = load_config)
      : file_(std::move(file)), loop_(loop), apply_(std::move(apply)), load_(std::move(load)) {}
  /// Waits a moment for the thread that reads. What it is at may hang (a disk that is gone) or take
  /// long (100,000 users to free): then it is left to itself, and ends with the process.
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Reads the file, after this call, and applies it. Who asks for the same while an earlier reload
  /// is under way gets one reload together.
  void ask(const ReloadOptions& options, Done done);

 private:
  struct Asked {
    ReloadOptions options;
    std::vector<Done> done;
  };
  struct Reading;
  static void read(const std::shared_ptr<Reading>& reading, const std::string& file,
                   const Load& load);
  void begin();
  void finish(const ReloadOutcome& outcome);

  const std::string file_;
  EventLoop& loop_;
  const Apply apply_;
  const Load load_;
  std::deque<Asked> asked_;           // the first is under way
  std::shared_ptr<Reading> reading_;  // the last; shared with its thread
  std::thread thread_;
};

}  // namespace wirelay::ctrl
