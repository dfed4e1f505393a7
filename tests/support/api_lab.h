// The API's server before a fake relay, on a socket in a folder of its own, with clients that do
// what they like. The loop turns only when a test lets it, or on a thread for blocking clients.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "ctrl/api/server.h"
#include "tests/support/fake_relay.h"

namespace wirelay::test {

/// A folder under /tmp that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

class ApiLab {
 public:
  explicit ApiLab(const ctrl::api::ServerLimits& limits = {},
                  ctrl::api::Right right = ctrl::api::Right::kChange);

  TemporaryFolder folder;
  FakeRelay relay;
  const std::string socket;
  const ctrl::api::SocketFile file;
  ctrl::api::Server server;

  void turn();
  /// Turns the loop until `reached`; false when it is not after many seconds.
  bool turn_until(const std::function<bool()>& reached);
  /// Turns the loop on another thread for as long as the result lives.
  std::jthread turn_in_background();
};

/// A connection that never blocks.
class RawClient {
 public:
  explicit RawClient(ApiLab& lab);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// As much as the socket takes; returns how much that was.
  size_t send(std::string_view bytes);
  void send_all(std::string_view bytes);
  void shut_down_writing();
  /// Takes in what has come.
  void receive();
  /// The next whole line without its newline, when one has come.
  std::optional<std::string> line();
  /// Turns the loop until a line comes; "" when none does.
  std::string await_line();
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  bool await_close();

 private:
  ApiLab& lab_;
  int fd_;
  bool closed_ = false;
  std::string received_;
};

}  // namespace wirelay::test
