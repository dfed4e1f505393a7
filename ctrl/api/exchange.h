// One line of JSON-RPC 2.0 in, at most one line out. The calls of a batch are made one a step, so
// that the event loop goes on between them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <json/value.h>

#include "ctrl/api/message.h"
#include "ctrl/api/method.h"
#include "ctrl/relay_face.h"

namespace wirelay::ctrl::api {

struct ExchangeLimits {
  MessageLimits message = {};
  size_t batch_reply_bytes = 4u << 20;  // what is left of a batch then is answered with an error
};

class Exchange {
 public:
  /// Reads the line. `relay` and `limits` outlive the exchange.
  Exchange(RelayFace& relay, std::string_view line, const ExchangeLimits& limits);

  /// Makes the next call, or asks again for the result of one that takes long; nothing when done.
  void step();
  /// The result of a call is not there yet: let time pass before the next step.
  [[nodiscard]] bool waiting() const noexcept { return later_ != nullptr; }
  [[nodiscard]] bool done() const noexcept { return next_ >= message_.calls.size(); }
  /// When done: the reply with its newline, or "" when none is due.
  std::string take_reply();

 private:
  void answer(const std::string& reply);
  /// False when the result is not there yet.
  bool run(const Call& call);
  std::optional<std::string> respond(const Call& call);
  std::optional<Json::Value> result_of(const Json::Value& request);

  RelayFace& relay_;
  const ExchangeLimits& limits_;
  Message message_;
  size_t next_ = 0;
  Later later_;  // of the call at next_, which has begun
  std::string reply_;
};

/// The line that answers a line too long to be read.
std::string too_long_reply(const MessageLimits& limits);

}  // namespace wirelay::ctrl::api
