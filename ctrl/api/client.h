// One connection to the control socket: lines in, replies out, nothing of it without a bound.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "ctrl/api/event_handles.h"
#include "ctrl/api/exchange.h"
#include "ctrl/api/turns.h"

namespace wirelay::ctrl::api {

struct ClientLimits {
  ExchangeLimits exchange;
  size_t waiting_bytes = 256u << 10;            // unread replies above which no request is taken
  size_t waiting_event_bytes = 64u << 10;       // the same, above which no event is told
  std::chrono::milliseconds slice{2};           // of work in one turn
  std::chrono::milliseconds half_line{30'000};  // for the rest of a line
  std::chrono::milliseconds idle{600'000};      // between lines
  std::chrono::milliseconds stalled_reader{30'000};  // no byte of a reply taken
};

/// What the server does for its clients.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  virtual void ready(class Client& client) = 0;   // wants work() to be called
  virtual void used(class Client& client) = 0;    // it has sent a whole line
  virtual void closed(class Client& client) = 0;  // may destroy it
};

class Client {
 public:
  /// Takes the connection. `desk` and `limits` outlive the client.
  Client(const Desk& desk, evutil_socket_t fd, Caller caller, const ClientLimits& limits,
         ClientHost& host);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Answers what has come, until the slice is over.
  void work(const Slice& slice);
  /// Has a call under way, or one that waits for its turn.
  [[nodiscard]] bool busy() const noexcept { return exchange_ || line_bytes_; }
  /// Waits for nothing that it would take, events among it: nothing is lost when it is closed. One
  /// that does not read its replies is not waited for.
  [[nodiscard]] bool can_go() const;
  [[nodiscard]] Turn& turn() noexcept { return turn_; }

 private:
  [[nodiscard]] bool can_go_on() const;
  [[nodiscard]] bool may_tell() const;
  void step();
  void answer();
  void subscribe();
  void tell_events();
  /// Whenever something may have become possible - bytes came, replies left, an answer is there -
  /// looks at all of it afresh. May end the client.
  void review();
  void read_or_wait();
  void find_line();
  std::string take_line();
  void drop_input();
  void refuse_long_line();
  void send(const std::string& text);
  void watch_progress();
  [[nodiscard]] bool gone() const;
  [[nodiscard]] size_t unsent() const;

  static void on_read(bufferevent*, void* self);
  static void on_drained(bufferevent*, void* self);
  static void on_event(bufferevent*, short what, void* self);
  static void on_deadline(evutil_socket_t, short, void* self);

  const Desk& desk_;
  const Caller caller_;
  const ClientLimits& limits_;
  ClientHost& host_;
  StreamPtr stream_;
  EventPtr deadline_;
  Turn turn_;
  std::shared_ptr<Exchange> exchange_;      // the line being answered
  std::unique_ptr<events::Reader> reader_;  // once it has asked for events
  std::optional<size_t> line_bytes_;        // of the next line, which has come whole
  size_t searched_ = 0;                     // bytes of input known to hold no newline
  // What the deadline is for: a line, the rest of one, or to see whether the client is still there.
  enum class Watch : uint8_t { kNone, kLine, kRest, kCaller } watch_ = Watch::kNone;
  bool ending_ = false;  // no more input: close when all is answered
};

}  // namespace wirelay::ctrl::api
