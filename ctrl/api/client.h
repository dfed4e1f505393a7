// One connection to the control socket: lines in, replies out, nothing of it without a bound.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "ctrl/api/event_handles.h"
#include "ctrl/api/exchange.h"

namespace wirelay::ctrl::api {

struct ClientLimits {
  ExchangeLimits exchange;
  size_t waiting_bytes = 256u << 10;            // unread replies above which no request is taken
  std::chrono::milliseconds slice{2};           // of work in one turn of the event loop
  std::chrono::milliseconds half_line{30'000};  // for the rest of a line
  std::chrono::milliseconds idle{600'000};      // between lines
  std::chrono::milliseconds stalled_reader{30'000};  // no byte of a reply taken
};

/// What the server does for its clients.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  virtual void used(class Client& client) = 0;    // it has sent a whole line
  virtual void closed(class Client& client) = 0;  // may destroy it
};

class Client {
 public:
  /// Takes the connection. `limits` outlive the client.
  Client(event_base* base, evutil_socket_t fd, RelayFace& relay, const ClientLimits& limits,
         ClientHost& host);

 private:
  /// Answers what has come for at most a slice of time, then lets others run.
  void work();
  /// One call made, or one line taken in. False when there is nothing to do now.
  bool step();
  std::optional<std::string> take_line();
  void refuse_long_line();
  void send(const std::string& text);
  void watch_progress();
  [[nodiscard]] size_t unsent() const;

  static void on_read(bufferevent*, void* self);
  static void on_drained(bufferevent*, void* self);
  static void on_event(bufferevent*, short what, void* self);
  static void on_resume(evutil_socket_t, short, void* self);
  static void on_deadline(evutil_socket_t, short, void* self);

  RelayFace& relay_;
  const ClientLimits& limits_;
  ClientHost& host_;
  StreamPtr stream_;
  EventPtr resume_, deadline_;
  std::optional<Exchange> exchange_;  // the line being answered
  size_t searched_ = 0;               // bytes of input known to hold no newline
  bool in_line_ = false;              // half a line has come, and its deadline runs
  bool ending_ = false;               // no more input: close when all is answered
};

}  // namespace wirelay::ctrl::api
