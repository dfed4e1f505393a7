// One line of JSON-RPC 2.0 in, at most one line out. Its calls are made one after the other; what a
// call asks of other threads comes back through the API's loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <json/value.h>

#include "ctrl/api/message.h"
#include "ctrl/api/method.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/host/slice.h"
#include "ctrl/relay_face.h"

namespace wirelay::ctrl::api {

struct ExchangeLimits {
  MessageLimits message = {};
  // What of a batch has not begun when its replies have grown so long, or its time is over, is
  // answered with an error.
  size_t batch_reply_bytes = 4u << 20;
  std::chrono::seconds batch_time{30};
};

/// What calls are made with.
struct Desk {
  EventLoop& loop;   // the API's
  RelayFace& relay;  // outlives the loop's last turn
  events::Log& events;
  Right right;
};

/// On the API's thread, and owned by a shared pointer: an answer that comes when it is gone is
/// dropped.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  /// Reads the line. `desk` and `limits` outlive the exchange; `wake` is called when it waits no
  /// longer.
  Exchange(const Desk& desk, std::string_view line, const ExchangeLimits& limits, Caller caller,
           std::function<void()> wake);

  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// Begins the next call, or takes its answer in; nothing when waiting or done.
  void step();
  /// A call has begun, and its answer has not come yet.
  [[nodiscard]] bool waiting() const noexcept { return under_way_ && !answer_; }
  [[nodiscard]] bool done() const noexcept { return next_ >= message_.calls.size(); }
  /// About what the next step will take of the API's thread: most go to writing a reply.
  [[nodiscard]] uint64_t next_ns() const noexcept { return kNsPerEntry * answer_entries_; }
  /// When done: what events the client wants from now on, where a call of the line asked for them.
  std::optional<EventsRequest> take_subscription() { return std::exchange(subscription_, {}); }
  /// When done: the reply with its newline, or "" when none is due.
  std::string take_reply();

 private:
  using MakeResult = std::function<Json::Value()>;  // throws what is wrong
  static constexpr uint64_t kNsPerEntry = 25'000;   // what a user takes in a page of user.list

  void begin(const Call& call);
  void check_limits() const;
  void check_right(std::string_view method, const Begun& begun) const;
  void begin_call(const Json::Value& request);
  void ask(std::shared_ptr<Query> query);
  void change(std::string_view method, std::vector<Step> steps);
  void reload(ReloadOptions options);
  void back_up(std::string file);
  void drain(const DrainRequest& request);
  void list(const EventsRequest& request);
  void subscribe(EventsRequest request);
  /// Any thread: a function that hands the answer on to the API's thread.
  std::function<void(MakeResult, size_t entries)> answerer();
  void finish(const Call& call, const MakeResult& result);
  void add_reply(const std::string& reply);

  const Desk& desk_;
  const ExchangeLimits& limits_;
  const Caller caller_;
  const std::function<void()> wake_;
  const Slice time_;  // of the whole line
  Message message_;
  size_t next_ = 0;            // of the calls
  bool under_way_ = false;     // the call at next_
  MakeResult answer_;          // to it
  size_t answer_entries_ = 0;  // that it shows
  std::string reply_;
  std::optional<EventsRequest> subscription_;
};

/// A line that tells of an event, with its newline.
std::string event_line(const events::Event& event);

/// The line that answers a line too long to be read.
std::string too_long_reply(const MessageLimits& limits);

}  // namespace wirelay::ctrl::api
