// Reloads: the file is read and checked on a thread of its own, and what it says is applied by the
// control thread, which goes on meanwhile. 100,000 users take a second to read.
#pragma once

#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "ctrl/config/config.h"
#include "ctrl/relay_face.h"

namespace wirelay::ctrl {

/// One at a time. Control thread only.
class Reloader {
 public:
  /// Makes `next`, whose key is that of `identity`, what the relay does. Throws Refused, and then
  /// has changed nothing.
  using Apply = std::function<ReloadResult(const Config& next, const crypto::PublicKey& identity)>;

  Reloader(std::string file, Apply apply) : file_(std::move(file)), apply_(std::move(apply)) {}

  /// The reload that the caller waits for: it reads the file after this call. All who ask while an
  /// earlier one is reading get the same.
  std::shared_ptr<const Reload> ask();
  /// Applies what has been read, if it has. To be called often.
  void poll();

 private:
  struct Loaded {
    Config config;
    crypto::PublicKey identity;
  };
  static Loaded load(const std::string& file);
  void begin();
  void finish();

  const std::string file_;
  const Apply apply_;
  std::shared_ptr<Reload> running_, next_;
  std::future<Loaded> loaded_;  // valid while one is running; its end is waited for at our own
};

}  // namespace wirelay::ctrl
