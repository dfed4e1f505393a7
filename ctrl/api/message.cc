// JSON-RPC 2.0 (https://www.jsonrpc.org/specification), sections 4 to 6.
#include "ctrl/api/message.h"

#include <utility>

#include "ctrl/api/method.h"
#include "ctrl/base/json.h"

namespace wirelay::ctrl::api {

namespace {

using Kind = JsonEvent::Kind;

/// Makes the calls of a line, each with a tree of its own.
class MessageReader {
 public:
  explicit MessageReader(const MessageLimits& limits) : limits_(limits) {}
  ~MessageReader() {
    for (Call& call : message_.calls) wipe_texts(call.request);  // it was not read to its end
  }
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  void take(const JsonEvent& event) {
    if (event.depth == 0 && event.kind == Kind::kList) {
      message_.batch = true;
      return;
    }
    if (message_.batch && event.depth == 0) return;  // its end
    const unsigned level = message_.batch ? 1 : 0;
    const bool ends = event.kind == Kind::kListEnd || event.kind == Kind::kObjectEnd;
    if (event.depth == level && !ends) begin_call();
    tree_.take(event);
    if (event.depth == level + 1) note_id(event);
    if (event.depth == level && event.kind != Kind::kList && event.kind != Kind::kObject) {
      message_.calls.back().request = tree_.take_value();
    }
  }

  Message take_message() {
    if (message_.calls.empty()) refuse("none");
    return std::move(message_);
  }

 private:
  void begin_call() {
    if (message_.calls.size() == limits_.batch_calls) refuse("more");
    message_.calls.push_back({{}, "null"});
  }

  void note_id(const JsonEvent& event) {
    if (event.kind == Kind::kKey) {
      is_id_ = event.text == "id";
    } else if (std::exchange(is_id_, false) &&
               (event.kind == Kind::kText || event.kind == Kind::kNumber)) {
      message_.calls.back().id = event.raw;
    }
  }

  [[noreturn]] void refuse(const char* found) const {
    throw ApiError(kInvalidRequest, "a batch holds 1 to " + std::to_string(limits_.batch_calls) +
                                        " requests, found " + found);
  }

  const MessageLimits& limits_;
  Message message_;
  JsonTree tree_;       // of the call that is read
  bool is_id_ = false;  // the next value is the call's id
};

}  // namespace

Message read_message(std::string_view line, const MessageLimits& limits) {
  MessageReader reader(limits);
  try {
    read_json_events(line, {.bytes = limits.line_bytes},
                     [&](const JsonEvent& event) { reader.take(event); });
  } catch (const JsonError& error) {
    throw ApiError(kParseError,
                   "not JSON, column " + std::to_string(error.column) + ": " + error.what());
  }
  return reader.take_message();
}

const char* malformed(const Json::Value& request) {
  if (!request.isObject()) return "a request is an object, or a list of objects";
  if (request["jsonrpc"] != "2.0") return "\"jsonrpc\" must be \"2.0\"";
  if (!request["method"].isString()) return "\"method\" must be a text, such as \"status.get\"";
  const Json::Value& id = request["id"];
  if (!id.isNull() && !id.isString() && !id.isNumeric()) return "\"id\" must be a text or a number";
  return nullptr;
}

std::string result_reply(const std::string& id, const Json::Value& result) {
  return "{\"id\":" + id + R"(,"jsonrpc":"2.0","result":)" + write_json(result) + '}';
}

std::string error_reply(const std::string& id, int code, const std::string& message,
                        const Json::Value& data) {
  Json::Value error(Json::objectValue);
  error["code"] = code;
  error["message"] = message;
  if (!data.isNull()) error["data"] = data;
  return "{\"error\":" + write_json(error) + ",\"id\":" + id + R"(,"jsonrpc":"2.0"})";
}

std::string refused_reply(const std::string& id, const Refused& refused) {
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
  return error_reply(id, kInvalidParams, message, data);
}

}  // namespace wirelay::ctrl::api
