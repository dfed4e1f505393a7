// What a method of the API is, and how it refuses. One file a noun (user_methods.cc, ...) defines
// methods; method_table.cc lists them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <json/value.h>

#include "ctrl/events/log.h"
#include "ctrl/host/slice.h"
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
inline constexpr int kBusy = -32003;           // no connection, or place for events, is free
inline constexpr int kTooLong = -32004;        // a batch was at work for too long
inline constexpr int kForbidden = -32005;      // by a socket that is only for reading
inline constexpr int kNoStore = -32006;        // no store, or none that can be read or written

/// What whoever comes by a socket may do.
enum class Right : uint8_t {
  kRead,    // ask, but not for keys
  kChange,  // all
};

/// An error reply. Problems of params are thrown as Refused instead.
class ApiError : public std::runtime_error {
 public:
  ApiError(int code_, const std::string& message, Json::Value data_ = {})
      : std::runtime_error(message), code(code_), data(std::move(data_)) {}
  int code;
  Json::Value data;
};

/// A question to the relay: what it asks for is collected on the control thread as plain data, in
/// slices, and becomes JSON on the API's thread. What changes between two slices may show in part.
class Query {
 public:
  Query() = default;
  virtual ~Query() = default;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Control thread. True when all is there; takes about a slice, and gets something done however
  /// short that is. Throws ApiError.
  virtual bool collect(const RelayFace& relay, const Slice& slice) = 0;
  /// Whether it goes on with what the store holds.
  [[nodiscard]] virtual bool reads_store() const { return false; }
  /// The store's thread, after that. Throws StoreError.
  virtual void read(const Database& store) { static_cast<void>(store); }
  /// API thread, after that.
  [[nodiscard]] virtual Json::Value result() const = 0;
  /// How many users and peers that shows.
  [[nodiscard]] virtual size_t entries() const { return 0; }
  /// Shows keys: not for those who may only read.
  [[nodiscard]] virtual bool secret() const { return false; }
};

/// Events that are kept, or those that come from now on as well.
struct EventsRequest {
  events::Filter filter;
  std::optional<uint64_t> since = std::nullopt;
  size_t limit = 0;
  bool follow = false;
};

/// A copy of the store.
struct BackupRequest {
  std::string file;
};

/// No new sessions, and an end after so many seconds at the latest.
struct DrainRequest {
  uint64_t seconds;
};

/// What a call comes to: its result, a question, steps for the door, a reload, events, a backup, or
/// the relay's end.
using Begun = std::variant<Json::Value, std::shared_ptr<Query>, std::vector<Step>, ReloadOptions,
                           EventsRequest, BackupRequest, DrainRequest>;

/// `begin` reads `params`, an object, on the API's thread. Throws Refused or ApiError.
struct Method {
  std::string_view name;
  Begun (*begin)(const Json::Value& params);
  std::string_view params;  // for people
  std::string_view text;
};

std::span<const Method> user_methods();
std::span<const Method> peer_methods();
std::span<const Method> port_methods();
std::span<const Method> nat_methods();
std::span<const Method> status_methods();
std::span<const Method> stats_methods();
std::span<const Method> event_methods();
std::span<const Method> usage_methods();
std::span<const Method> store_methods();
std::span<const Method> config_methods();
std::span<const Method> relay_methods();
std::span<const Method> api_methods();

/// Throws ApiError, with the name that was probably meant, when there is none.
const Method& find_method(std::string_view name);

}  // namespace wirelay::ctrl::api
