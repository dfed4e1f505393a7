// The API from the client's side: one request a line, one reply a line, waiting for it.
#pragma once

#include <string>
#include <string_view>

#include <json/value.h>

namespace wirelay::cli {

/// The longest line that the relay takes, without its newline.
inline constexpr size_t kMaxRequest = size_t{1} << 20;

class RelayClient {
 public:
  explicit RelayClient(std::string socket_path) : path_(std::move(socket_path)) {}
  ~RelayClient();
  RelayClient(const RelayClient&) = delete;
  RelayClient& operator=(const RelayClient&) = delete;

  /// Throws Unreachable when there is no relay: nothing has been asked for then.
  void connect();
  /// The result of `method`. Connects at the first call. Throws RelayRefused with the relay's
  /// error, Unreachable when there is no relay or it does not answer within kPatience.
  Json::Value call(const std::string& method, const Json::Value& params = Json::objectValue);
  /// The same with `params` as JSON on one line.
  Json::Value call_text(std::string_view method, std::string_view params);
  /// The "params" of the next notification, however long it takes to come. Throws Unreachable when
  /// the relay is gone.
  Json::Value await_notification();

 private:
  void send(const std::string& line);
  /// The next line; gives up after kPatience unless told to be `patient`.
  std::string receive(bool patient = false);
  [[noreturn]] void unreachable(const std::string& why) const;

  std::string path_;
  int fd_ = -1;
  int last_id_ = 0;
  std::string received_;
};

}  // namespace wirelay::cli
