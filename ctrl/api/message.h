// What goes over the wire: lines into calls, results and errors into replies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <json/value.h>

#include "ctrl/base/problem.h"

namespace wirelay::ctrl::api {

struct MessageLimits {
  size_t line_bytes = size_t{1} << 20;  // of a request, without its newline
  size_t batch_calls = 1000;            // in one line
};

/// A call as it came: any value, until malformed() is null.
struct Call {
  Json::Value request;
  std::string id;  // text or number as it is written, digit for digit; "null" where it is none

  [[nodiscard]] bool notification() const { return request.isObject() && !request.isMember("id"); }
};

struct Message {
  std::vector<Call> calls;
  bool batch = false;  // its replies are a list
};

/// Throws ApiError.
Message read_message(std::string_view line, const MessageLimits& limits);

/// Null when `request` is one as the specification has it, else what is wrong with it.
const char* malformed(const Json::Value& request);

// Replies, without a newline. `id` as it is written. ---------------------------------------------
std::string result_reply(const std::string& id, const Json::Value& result);
std::string error_reply(const std::string& id, int code, const std::string& message,
                        const Json::Value& data = {});
std::string refused_reply(const std::string& id, const Refused& refused);

}  // namespace wirelay::ctrl::api
