// A socket behind which every client is told the same, whatever it asks: to see what relayctl makes
// of replies that no relay of ours sends.
#pragma once

#include <mutex>
#include <string>
#include <thread>

namespace wirelay::test {

class ScriptedRelay {
 public:
  /// Listens at `socket_path`, which must be free.
  explicit ScriptedRelay(std::string socket_path, std::string text = {});
  ~ScriptedRelay();
  ScriptedRelay(const ScriptedRelay&) = delete;
  ScriptedRelay& operator=(const ScriptedRelay&) = delete;

  /// What each client gets that connects from now on. Behind it the client reads the end, and all
  /// that it asks is taken in and forgotten.
  void say(std::string text);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void serve();
  std::string path_;
  std::mutex mutex_;
  std::string text_;  // under the mutex
  int fd_;
  std::jthread thread_;
};

}  // namespace wirelay::test
