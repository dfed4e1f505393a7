// The calls of a line, one after the other.
#include "ctrl/api/exchange.h"

#include <utility>

#include "ctrl/base/json_reader.h"
#include "ctrl/base/log.h"

namespace wirelay::ctrl::api {

Exchange::Exchange(RelayFace& relay, std::string_view line, const ExchangeLimits& limits)
    : relay_(relay), limits_(limits) {
  try {
    message_ = read_message(line, limits.message);
  } catch (const ApiError& error) {
    answer(error_reply("null", error.code, error.what()));
  }
}

void Exchange::step() {
  if (!done() && run(message_.calls[next_])) {
    later_ = nullptr;
    ++next_;
  }
}

std::string Exchange::take_reply() {
  if (!reply_.empty()) reply_ += message_.batch ? "]\n" : "\n";
  return std::move(reply_);
}

bool Exchange::run(const Call& call) {
  if (const char* wrong = malformed(call.request)) {
    answer(error_reply("null", kInvalidRequest, wrong));
    return true;
  }
  const bool too_large = reply_.size() > limits_.batch_reply_bytes;
  const auto reply =
      too_large ? error_reply(call.id, kReplyTooLarge,
                              "not done: the replies of this batch are too large; ask again")
                : respond(call);
  if (reply && !call.notification()) answer(*reply);
  return reply.has_value();
}

std::optional<std::string> Exchange::respond(const Call& call) {
  try {
    const auto result = result_of(call.request);
    if (!result) return std::nullopt;
    return result_reply(call.id, *result);
  } catch (const Refused& refused) {
    return refused_reply(call.id, refused);
  } catch (const ApiError& error) {
    return error_reply(call.id, error.code, error.what(), error.data);
  } catch (const std::exception& error) {
    log_error("API: {} failed: {}", call.request["method"].asString(), error.what());
    return error_reply(call.id, kInternalError, std::string("internal error: ") + error.what());
  }
}

std::optional<Json::Value> Exchange::result_of(const Json::Value& request) {
  if (!later_) {
    static const Json::Value kNoParams(Json::objectValue);
    const Json::Value& params = request.isMember("params") ? request["params"] : kNoParams;
    const Method& method = find_method(request["method"].asString());
    if (!params.isObject()) {
      throw Refused("params", expected(params, "an object with named fields"));
    }
    Answer made = method.call(relay_, params);
    if (auto* result = std::get_if<Json::Value>(&made)) return std::move(*result);
    later_ = std::get<Later>(std::move(made));
  }
  return later_();
}

void Exchange::answer(const std::string& reply) {
  if (message_.batch) reply_ += reply_.empty() ? '[' : ',';
  reply_ += reply;
}

std::string too_long_reply(const MessageLimits& limits) {
  return error_reply("null", kInvalidRequest,
                     "a line holds at most " + std::to_string(limits.line_bytes) +
                         " bytes; send several requests") +
         '\n';
}

}  // namespace wirelay::ctrl::api
