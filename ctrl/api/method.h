// What a method of the API is, and how it refuses. One file a noun (user_methods.cc, ...) defines
// methods; method_table.cc lists them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include <json/value.h>

#include "ctrl/relay_face.h"

namespace wirelay::ctrl::api {

// Codes of JSON-RPC 2.0, section 5.1, and our own from -32000 down.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;  // and what the registry refuses
inline constexpr int kInternalError = -32603;
inline constexpr int kNotFound = -32001;       // no user or peer of that name
inline constexpr int kReplyTooLarge = -32002;  // a batch asked for more than one reply holds

/// An error reply. Problems of params are thrown as Refused instead.
class ApiError : public std::runtime_error {
 public:
  ApiError(int code_, const std::string& message, Json::Value data_ = {})
      : std::runtime_error(message), code(code_), data(std::move(data_)) {}
  int code;
  Json::Value data;
};

/// The result of a call that takes longer than a turn of the event loop: asked each turn until it
/// is there. Throws as a call does.
using Later = std::function<std::optional<Json::Value>()>;
using Answer = std::variant<Json::Value, Later>;

/// `call` runs on the control thread and is bounded: by the size of a request, and by kMaxPage.
/// `params` is an object. Throws Refused or ApiError, and then has changed nothing.
struct Method {
  std::string_view name;
  Answer (*call)(RelayFace& relay, const Json::Value& params);
  std::string_view params;  // for people
  std::string_view text;
};

std::span<const Method> user_methods();
std::span<const Method> peer_methods();
std::span<const Method> status_methods();
std::span<const Method> stats_methods();
std::span<const Method> config_methods();
std::span<const Method> api_methods();

/// Throws ApiError, with the name that was probably meant, when there is none.
const Method& find_method(std::string_view name);

}  // namespace wirelay::ctrl::api
