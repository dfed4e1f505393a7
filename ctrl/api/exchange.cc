// JSON-RPC 2.0 (https://www.jsonrpc.org/specification): requests, notifications, batches, errors.
#include "ctrl/api/exchange.h"

#include <algorithm>
#include <utility>

#include "ctrl/base/json.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/base/log.h"

namespace wirelay::ctrl::api {

namespace {

constexpr unsigned kDepth = 32;

Json::Value response(const Json::Value& id) {
  Json::Value result(Json::objectValue);
  result["jsonrpc"] = "2.0";
  result["id"] = id;
  return result;
}

Json::Value error_response(const Json::Value& id, int code, const std::string& message,
                           const Json::Value& data = {}) {
  Json::Value result = response(id);
  result["error"]["code"] = code;
  result["error"]["message"] = message;
  if (!data.isNull()) result["error"]["data"] = data;
  return result;
}

Json::Value refused_response(const Json::Value& id, const Refused& refused) {
  Json::Value data(Json::objectValue);
  data["path"] = refused.problems.empty() ? "" : refused.problems.front().path;
  Json::Value& problems = data["problems"] = Json::arrayValue;
  for (const Problem& problem : refused.problems) {
    if (problems.size() == kMaxProblems) break;
    Json::Value& entry = problems.append(Json::objectValue);
    entry["path"] = problem.path;
    entry["message"] = problem.message;
  }
  const size_t found = refused.problems.size();
  const bool complete = !enough(refused.problems);
  data["problems_found"] = Json::UInt64{found};
  if (!complete) data["problems_complete"] = false;  // there may be more: the search was ended
  std::string message = refused.what();
  if (found > 1) {
    message +=
        " (and " + std::string(complete ? "" : "at least ") + std::to_string(found - 1) + " more)";
  }
  return error_response(id, kInvalidParams, message, data);
}

/// Null when `call` is a request as the specification has it.
const char* malformed(const Json::Value& call) {
  if (!call.isObject()) return "a request is an object, or a list of objects";
  if (call["jsonrpc"] != "2.0") return "\"jsonrpc\" must be \"2.0\"";
  if (!call["method"].isString()) return "\"method\" must be a text, such as \"status.get\"";
  const Json::Value& id = call["id"];
  if (!id.isNull() && !id.isString() && !id.isNumeric()) return "\"id\" must be a text or a number";
  return nullptr;
}

}  // namespace

Exchange::Exchange(RelayFace& relay, std::string_view line, const ExchangeLimits& limits)
    : relay_(relay), limits_(limits) {
  try {
    Json::Value message = parse_json(line, {limits.line_bytes, kDepth, false});
    batch_ = message.isArray();
    if (!batch_) {
      calls_.append(std::move(message));
    } else if (message.empty() || message.size() > limits.batch_calls) {
      batch_ = false;
      answer(error_response({}, kInvalidRequest,
                            "a batch holds 1 to " + std::to_string(limits.batch_calls) +
                                " requests, found " + std::to_string(message.size())));
    } else {
      calls_.swap(message);
    }
  } catch (const JsonError& error) {
    answer(error_response(
        {}, kParseError, "not JSON, column " + std::to_string(error.column) + ": " + error.what()));
  }
}

void Exchange::step() {
  if (!done() && run(calls_[next_])) {
    later_ = nullptr;
    ++next_;
  }
}

std::string Exchange::take_reply() {
  if (!reply_.empty()) reply_ += batch_ ? "]\n" : "\n";
  return std::move(reply_);
}

bool Exchange::run(const Json::Value& call) {
  if (const char* wrong = malformed(call)) {
    answer(error_response({}, kInvalidRequest, wrong));
    return true;
  }
  const bool notification = !call.isMember("id");
  if (reply_.size() > limits_.batch_reply_bytes) {
    if (!notification) {
      answer(error_response(call["id"], kReplyTooLarge,
                            "not done: the replies of this batch are too large; ask again"));
    }
    return true;
  }
  const auto reply = respond(call);
  if (reply && !notification) answer(*reply);
  return reply.has_value();
}

std::optional<Json::Value> Exchange::respond(const Json::Value& call) {
  const Json::Value& id = call["id"];
  try {
    const auto result = result_of(call);
    if (!result) return std::nullopt;
    Json::Value reply = response(id);
    reply["result"] = *result;
    return reply;
  } catch (const Refused& refused) {
    return refused_response(id, refused);
  } catch (const ApiError& error) {
    return error_response(id, error.code, error.what(), error.data);
  } catch (const std::exception& error) {
    log_error("API: {} failed: {}", call["method"].asString(), error.what());
    return error_response(id, kInternalError, std::string("internal error: ") + error.what());
  }
}

std::optional<Json::Value> Exchange::result_of(const Json::Value& call) {
  if (!later_) {
    static const Json::Value kNoParams(Json::objectValue);
    const Json::Value& params = call.isMember("params") ? call["params"] : kNoParams;
    const Method& method = find_method(call["method"].asString());
    if (!params.isObject()) {
      throw Refused("params", expected(params, "an object with named fields"));
    }
    Answer made = method.call(relay_, params);
    if (auto* result = std::get_if<Json::Value>(&made)) return std::move(*result);
    later_ = std::get<Later>(std::move(made));
  }
  return later_();
}

void Exchange::answer(const Json::Value& reply) {
  if (batch_) reply_ += reply_.empty() ? '[' : ',';
  reply_ += write_json(reply);
}

std::string too_long_reply(const ExchangeLimits& limits) {
  return write_json(error_response({}, kInvalidRequest,
                                   "a line holds at most " + std::to_string(limits.line_bytes) +
                                       " bytes; send several requests")) +
         '\n';
}

}  // namespace wirelay::ctrl::api
